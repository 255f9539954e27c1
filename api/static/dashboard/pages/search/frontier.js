// The frontier of a search, to be dragged along: under every budget the exact best network, before any of it is kept.

import { Empty, Loading, Panel, ProblemNote } from "../../parts/basics.js";
import { colouring, difference, opsOf } from "../../parts/blocks.js";
import { ask, usePlace } from "../../router.js";
import { html, useMemo, useState } from "../../view.js";
import { useLimits } from "./frontier/budget.js";
import { About, Actions, drawn } from "./frontier/chosen.js";
import { HowMany, LimitField } from "./frontier/controls.js";
import { rangeOf, under, useCurve } from "./frontier/curve.js";
import { Infeasible } from "./frontier/infeasible.js";
import { COSTS, costsOf, pickOf, pickText, said } from "./frontier/limits.js";
import { useMarks } from "./frontier/marks.js";
import { Picked } from "./frontier/picked.js";
import { FrontierPlot } from "./frontier/plot.js";
import { keyOf, usePicks, useSelection } from "./frontier/selecting.js";
import { loss as lossText } from "../../format.js";

/** @typedef {import("./frontier/limits.js").Cost} Cost */

/** Most networks side by side. */
const MOST_PICKED = 8;

/** @param {{search: any}} props the body of `GET /searches/{id}` */
export default function Frontier({ search }) {
  if (!search.best) return html`<${Empty}>The frontier comes when every path is rated. The search ${search.state === "running" ? `is in the phase “${search.phase}”` : `is ${search.state}`}.</${Empty}>`;
  return html`<${Rated} search=${search} />`;
}

/** @param {{search: any}} props */
function Rated({ search }) {
  const { query } = usePlace();
  const costs = costsOf(search);
  const cost = costs.find((known) => known === query.get("cost")) ?? "flops";
  const curves = { flops: useCurve(search, "flops"), params: useCurve(search, "params"), latency_ns: useCurve(search, costs.includes("latency_ns") ? "latency_ns" : null) };
  const { curve, problem } = curves[cost];
  const { limits, limit } = useLimits(search);
  if (problem) return html`<${ProblemNote} of=${problem} />`;
  if (!curve) return html`<${Loading} what="Reading the frontier" />`;
  const asked = {
    limits: { ...limits, [cost]: limits[cost] ?? rangeOf(cost, curves)?.most },
    k: bounded(query.get("k"), 20),
    apart: bounded(query.get("apart"), 64),
  };
  return html`<${Explored} search=${search} costs=${costs} cost=${cost} curves=${curves} asked=${asked} limit=${limit} />`;
}

/** @param {string | null} text @param {number} most */
const bounded = (text, most) => Math.min(Math.max(Math.round(Number(text)) || 1, 1), most);

/**
 * @param {object} props
 * @param {any} props.search
 * @param {Cost[]} props.costs
 * @param {Cost} props.cost
 * @param {Record<Cost, {curve: import("./frontier/curve.js").Curve | null}>} props.curves
 * @param {import("./frontier/limits.js").Asked} props.asked
 * @param {(cost: Cost, value: number | null) => void} props.limit
 */
function Explored({ search, costs, cost, curves, asked, limit }) {
  const { query } = usePlace();
  const [rank, setRank] = useState(1);
  const { marks, winner, kept } = useMarks(search);
  const picks = usePicks(search.id, query.getAll("pick").map(pickOf).filter((pick) => pick !== null).slice(0, MOST_PICKED));
  const curve = /** @type {import("./frontier/curve.js").Curve} */ (curves[cost].curve);
  const shown = useShown(search, cost, curve, asked);
  const colour = useMemo(() => colouring(opsOf(curve.points.map((point) => point.blocks).concat(winner ? [winner.blocks] : []))), [curve, winner]);
  const place = Math.min(rank, shown.networks.length);
  const network = shown.networks[place - 1];
  const pick = network && pickText({ ...asked, rank: place });
  const texts = picks.map(({ pick }) => pick.text);
  const toggle = (/** @type {string} */ text) => ask({ pick: texts.includes(text) ? texts.filter((other) => other !== text) : [...texts, text].slice(-MOST_PICKED) });
  const all = [...marks, ...found(shown.networks, place), ...picks.flatMap(({ network }, number) => (network ? [marked("Picked", "corners", number + 1, network)] : []))];
  const take = (/** @type {any} */ nearest) => costs.forEach((name) => limit(name, nearest[name] ?? null));
  return html`<div class="frontier">
    <${Panel} title="Predicted loss over cost" actions=${html`<${Axis} costs=${costs} cost=${cost} />`}>
      <${FrontierPlot} cost=${cost} curve=${curve} limit=${asked.limits[cost] ?? curve.most} onLimit=${(/** @type {number} */ value) => limit(cost, value)} marks=${all} />
      <div class="limits">${[cost, ...costs.filter((other) => other !== cost)].map((name) => html`<${LimitField} key=${name} cost=${name} range=${rangeOf(name, curves)}
        limit=${asked.limits[name]} always=${name === cost} onLimit=${(/** @type {number | null} */ value) => limit(name, value)} />`)}<${HowMany} k=${asked.k} apart=${asked.apart} /></div>
    </${Panel}>
    <${Panel} title="Best within ${said(asked.limits)}">
      ${search.spec.select?.finalists > 0 && html`<p class="faint">By predicted loss. The winner is the best of the ${search.spec.select.finalists} finalists, which were trained for a short time.</p>`}
      ${shown.problem && html`<${Infeasible} problem=${shown.problem} onTake=${take} />`}
      ${shown.networks.length > 1 && html`<${Ranks} networks=${shown.networks} rank=${place} onRank=${setRank} />`}
      ${network && html`<div class=${shown.old ? "old" : ""} data-ready=${shown.ready}>
        <${About} network=${network} winner=${winner} colour=${colour} />
        <${Actions} search=${search} network=${network} kept=${keptAs(network, kept)} asked=${asked} rank=${place} ready=${shown.ready} picked=${texts.includes(pick)} onPick=${() => toggle(pick)} /></div>`}
    </${Panel}>
    <${Picked} search=${search} picks=${picks} winner=${winner} colour=${colour} onDrop=${toggle} />
  </div>`;
}

/**
 * What to show for a budget: the answer of `select`; until it comes, the frontier's own point under the line, which is exact where that is
 * the only limit; else what was answered last.
 * @param {any} search @param {Cost} cost @param {import("./frontier/curve.js").Curve} curve @param {import("./frontier/limits.js").Asked} asked
 * @returns {{networks: import("./frontier/chosen.js").Network[], problem: import("../../client.js").Problem | null, ready: boolean, old: boolean}}
 */
function useShown(search, cost, curve, asked) {
  const selection = useSelection(search.id, asked);
  const ready = selection?.key === keyOf(asked);
  if (selection && ready) return { networks: selection.networks.map(drawn), problem: selection.problem, ready: !selection.problem, old: false };
  const alone = asked.k === 1 && Object.keys(asked.limits).length === 1;
  const point = curve.points[under(curve.points, asked.limits[cost] ?? curve.most)];
  if (alone) return { networks: point ? [{ ...point, architecture: null }] : [], problem: null, ready: false, old: false };
  return { networks: (selection?.networks ?? []).map(drawn), problem: selection?.problem ?? null, ready: false, old: true };
}

/** The network of the search that it is; none where it was not kept. @param {any} network @param {any[]} kept */
const keptAs = ({ flops, params, blocks }, kept) =>
  kept
    .filter((one) => one.flops === flops && one.params === params)
    .find(({ architecture }) => difference(blocks, architecture.blocks) === 0) ?? null;

/** @param {{costs: Cost[], cost: Cost}} props */
const Axis = ({ costs, cost }) => html`<label class="inline">Cost <select value=${cost} onChange=${(/** @type {any} */ event) => ask({ cost: event.target.value })}>
  ${costs.map((name) => html`<option key=${name} value=${name} selected=${name === cost}>${COSTS[name].label}</option>`)}
</select></label>`;

/** @param {{networks: any[], rank: number, onRank: (rank: number) => void}} props */
const Ranks = ({ networks, rank, onRank }) => html`<fieldset class="ranks"><legend class="unseen">Which of the best</legend>
  ${networks.map((network, number) => html`<label key=${number} class="inline"><input type="radio" name="rank" checked=${number + 1 === rank} onChange=${() => onRank(number + 1)} /> ${number + 1}: ${lossText(network.loss)}</label>`)}
</fieldset>`;

/** The marks of what was found; the shown one is another. @param {any[]} networks @param {number} place */
const found = (networks, place) => networks.map((network, number) => marked(number + 1 === place ? "Chosen" : "Also within the budget", number + 1 === place ? "ring" : "dot", number + 1, network, number + 1 === place ? "mark-chosen" : "mark-found"));

/** @param {string} label @param {import("../../parts/plot.js").Shape} shape @param {number} number @param {any} network @param {string} [className] @returns {any} */
function marked(label, shape, number, { loss, flops, params, latency_ns = null }, className = "mark-picked") {
  return { shape, className, kind: label, label: `${label} ${number}`, loss, flops, params, latency_ns };
}
