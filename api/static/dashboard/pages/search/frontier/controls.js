// What is asked for, as sliders and fields: a limit of each cost, how many networks, how far apart.

import { Typed } from "../../../parts/typed.js";
import { ask } from "../../../router.js";
import { html } from "../../../view.js";
import { COSTS, parse } from "./limits.js";

/** @typedef {import("./limits.js").Cost} Cost */

/** Steps of a slider. */
const STEPS = 1000;

/** @typedef {{least: number, most: number}} Range what any network costs, and what none that is best within some budget exceeds */

/**
 * @param {object} props
 * @param {Cost} props.cost
 * @param {Range | null} props.range
 * @param {number | undefined} props.limit undefined where there is none
 * @param {(limit: number | null) => void} props.onLimit
 * @param {boolean} props.always it is the cost of the chart, which always has a limit
 */
export function LimitField({ cost, range, limit, onLimit, always }) {
  const { label, format } = COSTS[cost];
  const on = limit !== undefined;
  const toggle = (/** @type {any} */ event) => onLimit(event.target.checked && range ? range.most : null);
  return html`<div class="limit" role="group" aria-label="Limit of ${label}">
    ${always ? html`<strong>Limit of ${label}</strong>` : html`<label class="inline"><input type="checkbox" checked=${on} disabled=${!range} onChange=${toggle} /> Limit ${label} too</label>`}
    ${on && range && html`<${Slider} cost=${cost} range=${range} limit=${limit} onLimit=${onLimit} />
      <${TypedLimit} cost=${cost} limit=${limit} onLimit=${onLimit} /> <span class="faint">from ${format(range.least)}; above ${format(range.most)} none is better</span>`}
  </div>`;
}

/** @param {{cost: Cost, range: Range, limit: number, onLimit: (limit: number) => void}} props */
function Slider({ cost, range: { least, most }, limit, onLimit }) {
  const { label, format } = COSTS[cost];
  const step = Math.max((most - least) / STEPS, 1);
  const steps = Math.round((most - least) / step);
  const place = Math.round((Math.min(Math.max(limit, least), most) - least) / step);
  const slide = (/** @type {any} */ event) => {
    const to = Number(event.target.value);
    onLimit(to >= steps ? most : least + to * step);
  };
  return html`<input type="range" min="0" max=${steps} value=${place} onInput=${slide} aria-label="Limit of ${label}, by steps" aria-valuetext="at most ${format(limit)}" />`;
}

/** @param {{cost: Cost, limit: number, onLimit: (limit: number) => void}} props */
function TypedLimit({ cost, limit, onLimit }) {
  const { label, format } = COSTS[cost];
  const done = (/** @type {string} */ text, /** @type {HTMLInputElement} */ field) => {
    const value = parse(cost, text);
    field.setCustomValidity(value === null ? "A number such as 350M, 5.3 k or 12.5" : "");
    if (value === null) field.reportValidity();
    else if (text !== format(limit)) onLimit(value);
  };
  return html`<${Typed} value=${format(limit)} onDone=${done} label="Limit of ${label}, typed" attributes=${{ title: cost === "latency_ns" ? "Milliseconds" : "A number such as 350M" }} />`;
}

/** Most networks that are shown at once. */
const MOST = 20;

/** @param {{k: number, apart: number}} props */
export const HowMany = ({ k, apart }) => html`<div class="limit how-many" role="group" aria-label="How many">
  <label>Networks to show, the best first <${Whole} name="k" value=${k} most=${MOST} label="Networks to show, the best first" /></label>
  ${k > 1 && html`<label>that differ in at least <${Whole} name="apart" value=${apart} most=${64} label="that differ in at least so many layers" /> layers</label>`}
</div>`;

/** A whole number from 1 to most, of which the address knows. @param {{name: string, value: number, most: number, label: string}} props */
const Whole = ({ name, value, most, label }) =>
  html`<${Typed} value=${String(value)} label=${label} attributes=${{ type: "number", min: 1, max: most }} onDone=${(/** @type {string} */ text) => ask({ [name]: whole(text, most) })} />`;

/** 1 is left out of the address. @param {string} text @param {number} most */
function whole(text, most) {
  const value = Math.min(Math.max(Math.round(Number(text)) || 1, 1), most);
  return value === 1 ? null : String(value);
}
