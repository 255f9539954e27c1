// Why no network fits: which limits bind, between which values networks lie, and the nearest budgets that have one.

import { html } from "../../../view.js";
import { ProblemNote } from "../../../parts/basics.js";
import { COSTS, costsIn } from "./limits.js";

/** @typedef {import("./limits.js").Cost} Cost */

/** @param {{problem: import("../../../client.js").Problem, onTake: (limits: import("./limits.js").Limits) => void}} props `onTake` gets a budget nearby */
export function Infeasible({ problem, onTake }) {
  if (!problem.body.feasible) return html`<${ProblemNote} of=${problem} />`;
  const feasible = costsIn(problem.body.feasible);
  const binding = (problem.body.binding ?? []).map((/** @type {string} */ cost) => (cost === "latency_ms" ? "latency_ns" : cost));
  const nearest = (problem.body.nearest ?? []).map(costsIn);
  const known = (/** @type {string} */ cost) => COSTS[/** @type {Cost} */ (cost)];
  const named = binding.map((/** @type {string} */ cost) => known(cost)?.label ?? cost).join(" and ");
  return html`<div class="note note-warn" role="alert">
    <p>No network fits this budget${named && `: the limit of ${named} binds`}.</p>
    <ul>${Object.entries(feasible).filter(([cost]) => known(cost)).map(([cost, [least, most]]) => html`<li>${known(cost).label}: ${known(cost).format(least)} to ${known(cost).format(most)}</li>`)}</ul>
    ${nearest.length > 0 && html`<p class="actions">Budgets nearby that have one:
      ${nearest.map((/** @type {any} */ limits) => html`<button type="button" key=${JSON.stringify(limits)} onClick=${() => onTake(limits)}>${inWords(limits)}</button>`)}</p>`}
  </div>`;
}

/** @param {Record<string, number>} limits */
const inWords = (limits) => Object.entries(limits).filter(([cost]) => cost in COSTS).map(([cost, value]) => `${COSTS[/** @type {Cost} */ (cost)].label} ${COSTS[/** @type {Cost} */ (cost)].format(value)}`).join(", ");
