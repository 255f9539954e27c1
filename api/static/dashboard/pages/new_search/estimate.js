// What a search would be: candidates, feasible costs with the budget on them, device time, why by which recipe, what weakens it.

import { count, duration, exact } from "../../format.js";
import { Facts, Panel } from "../../parts/basics.js";
import { html } from "../../view.js";
import { useForm } from "../../form/context.js";
import { deviceName, Durations, EstimateHead, Warnings } from "../../form/estimated.js";

/** @param {{estimate: import("../../form/estimate.js").Estimated, lacking: import("../../form/context.js").FieldError[]}} props */
export function SearchEstimate({ estimate, lacking }) {
  const { answer } = estimate;
  return html`<${Panel} title="What it would be">
    <${EstimateHead} estimate=${estimate} lacking=${lacking} />
    ${answer && !lacking.length && html`<div class=${estimate.problem ? "stale" : ""}>
      <p class="headline"><strong>About ${duration(answer.device_seconds)}</strong> on ${deviceName(answer.device)}</p>
      <${Feasible} answer=${answer} />
      ${Object.entries(answer.feasible_range).map(([name, range]) => html`<${Range} key=${name} name=${name} range=${range} limit=${answer.spec.budget[name]} />`)}
      <${Warnings} of=${answer.warnings} />
      <${Facts} items=${[
        ["Candidates", `${count(Number(answer.candidates))} networks`],
        ["Rated", `${exact(answer.paths)} paths, exactly`],
        ["Winner trained by", html`<span title=${answer.recipe.why}>${answer.recipe.name}</span>`],
      ]} />
      <p class="help">${answer.recipe.why}</p>
      <${Durations} steps=${answer.steps} named=${{ teacher: TEACHER[answer.spec.teacher.weights] ?? "train the teacher" }} />
    </div>`}
  </${Panel}>`;
}

/** What its step does, by where the weights come from. */
const TEACHER = /** @type {Record<string, string>} */ ({ pretrained: "load the teacher", given: "take over the teacher", finetune: "train the teacher further" });

/** @param {{answer: any}} props */
function Feasible({ answer }) {
  const form = useForm();
  if (answer.feasible) return html`<p class="good">✓ There are networks within this budget.</p>`;
  const take = (/** @type {Record<string, number>} */ budget) => {
    for (const [name, value] of Object.entries(budget)) form.set(["budget", name], value);
  };
  return html`<div class="note ${answer.feasible === false ? "note-bad" : "note-warn"}" role="status">
    <p>${answer.feasible === false ? "✕ " : ""}${answer.reason}</p>
    ${answer.binding.length > 0 && html`<p>What binds: ${answer.binding.map((/** @type {string} */ name) => NAMES[name] ?? name).join(" and ")}.</p>`}
    ${answer.nearest.length > 0 && html`<p>Nearest that can be met: ${answer.nearest.map((/** @type {any} */ budget) => html`<button type="button" key=${JSON.stringify(budget)} onClick=${() => take(budget)}>${said(budget)}</button> `)}</p>`}
  </div>`;
}

const NAMES = /** @type {Record<string, string>} */ ({ flops: "multiply-adds", params: "parameters", latency_ms: "latency", latency_ns: "latency" });

/** @param {Record<string, number>} budget */
const said = (budget) => Object.entries(budget).map(([name, value]) => `${name === "latency_ms" ? `${value} ms` : exact(value)} ${NAMES[name] ?? name}`).join(" and ");

/** The feasible range of a cost, and where the budget is on it. @param {{name: string, range: [number, number], limit: number | null}} props */
function Range({ name, range, limit }) {
  const [low, high] = range;
  const share = limit === null || limit === undefined ? 1 : Math.min(Math.max((limit - low) / (high - low || 1), 0), 1);
  const outside = limit !== null && limit < low;
  const text = limit === null || limit === undefined ? "no limit" : `at most ${count(limit)}`;
  return html`<div class="cost-range">
    <div class="cost-head"><span>${NAMES[name] ?? name}</span><strong>${text}</strong></div>
    <svg width="100%" height="18" role="img" aria-label="${NAMES[name] ?? name}: networks from ${count(low)} to ${count(high)}, ${text}">
      <rect class="cost-all" x="0" y="6" width="100%" height="6" rx="3" />
      ${!outside && html`<rect class="cost-in" x="0" y="6" width=${`${100 * share}%`} height="6" rx="3" />`}
      ${limit !== null && limit !== undefined && html`<rect class=${outside ? "cost-mark cost-out" : "cost-mark"} x=${`${99 * share}%`} y="1" width="3" height="16" />`}
    </svg>
    <div class="cost-ends faint"><span>${count(low)}</span><span>${count(high)}</span></div>
  </div>`;
}
