// What the winner costs beside what it may cost.

import { count, latency, percent } from "../../format.js";
import { Empty } from "../../parts/basics.js";
import { html } from "../../view.js";

/** @param {{search: any}} props */
export function Costs({ search }) {
  const { best, spec } = search;
  const { flops, params, latency_ms } = spec.budget;
  const rows = [
    { name: "FLOPs", hint: "multiply-adds for one picture", value: best?.flops, limit: flops, text: count },
    { name: "Parameters", hint: "", value: best?.params, limit: params, text: count },
    { name: "Latency", hint: "one picture on the device of the search", value: best?.latency_ns, limit: latency_ms === null ? null : 1e6 * latency_ms, text: latency },
  ].filter((row) => row.value != null || row.limit !== null);
  if (!rows.length) return html`<${Empty}>No limit was set. What the winner costs shows when it is selected.</${Empty}>`;
  return html`<ul class="costs">${rows.map((row) => html`<${Cost} key=${row.name} ...${row} />`)}</ul>
    ${!best && html`<p class="faint">The winner shows here when it is selected.</p>`}`;
}

/** @param {{name: string, hint: string, value: number | null | undefined, limit: number | null, text: (value: number | null | undefined) => string}} props */
function Cost({ name, hint, value, limit, text }) {
  const share = value == null || limit === null ? null : value / limit;
  return html`<li>
    <span><strong>${name}</strong> <span class="faint">${hint}</span></span>
    <span class="number">${value == null ? "" : text(value)}${limit === null ? html` <span class="faint">no limit</span>` : ` ${value == null ? "at most" : "of at most"} ${text(limit)}`}${share !== null && ` (${percent(share, 0)})`}</span>
    ${share !== null && html`<meter min="0" max="1" value=${Math.min(1, share)} aria-label="${name}, share of the limit"></meter>`}
  </li>`;
}
