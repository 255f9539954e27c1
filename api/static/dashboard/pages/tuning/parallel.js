// Trials in parallel coordinates: a line for each, from field to field, to the accuracy it reached. Marking a stretch of an axis leaves
// the trials that run through it, here and everywhere on the page.

import { loss, percent } from "../../format.js";
import { Empty } from "../../parts/basics.js";
import { ask, usePlace } from "../../router.js";
import { html, useMemo, useState } from "../../view.js";
import { axesOf } from "./axes.js";
import { filters, written } from "./data.js";

/** @typedef {import("./data.js").Trial} Trial */

const HEIGHT = 300;
const TOP = 34;
const BOTTOM = 16;
const SIDE = 70;
/** Between two axes, in units of the drawing. */
const STEP = 170;

/** So near to its end, a mark reaches the end of an axis. */
const SNAP = 0.03;

/** @param {number} at 0 to 1 */
const down = (at) => TOP + (1 - at) * (HEIGHT - TOP - BOTTOM);

/** @param {{trials: Trial[], search: Record<string, any>, all: Trial[]}} props `all`: they give the axis of the accuracy its ends */
export function Parallel({ trials, search, all }) {
  const axes = useMemo(() => axesOf(search, all), [search, all]);
  const [over, setOver] = useState(/** @type {Trial | null} */ (null));
  const drawn = trials.filter((trial) => trial.params && trial.value !== null).sort((one, other) => Number(one.value) - Number(other.value));
  if (!drawn.length) return html`<${Empty}>${all.length ? "None of the trials that show has an accuracy yet." : "Trials appear when a worker has taken the first."}</${Empty}>`;
  const width = 2 * SIDE + (axes.length - 1) * STEP;
  const last = axes[axes.length - 1];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Parallel coordinates">
    <svg class="parallel" viewBox="0 0 ${width} ${HEIGHT}" style=${{ minWidth: `${width * 0.6}px`, maxWidth: `${width * 1.3}px` }} role="img"
      aria-label="${drawn.length} trials over ${axes.map(({ field }) => field).join(", ")}; the table below has the same numbers">
      ${drawn.map((trial) => html`<polyline key=${trial.number} class="trial ${trial === over ? "trial-over" : ""} ${over && trial !== over ? "trial-under" : ""}"
        points=${line(axes, trial)} style=${{ stroke: shade(last.at(trial) ?? 0) }}
        onMouseEnter=${() => setOver(trial)} onMouseLeave=${() => setOver(null)} />`)}
      ${axes.map((axis, number) => html`<${Drawn} key=${axis.field} axis=${axis} x=${SIDE + number * STEP} />`)}
    </svg>
  </div>
  <p class="faint hover-text" aria-live="off">${over ? said(over) : "Point at a line to read it; drag along an axis to see only what runs through there."}</p>`;
}

/** @param {import("./axes.js").Axis[]} axes @param {Trial} trial */
const line = (axes, trial) =>
  axes.flatMap((axis, number) => {
    const at = axis.at(trial);
    return at === null ? [] : [`${SIDE + number * STEP},${down(at).toFixed(1)}`];
  }).join(" ");

/** Better ones stand out by colour and lie above the others. @param {number} at 0 to 1 */
const shade = (at) => `color-mix(in oklab, var(--c1) ${Math.round(100 * at)}%, var(--line))`;

/** @param {Trial} trial */
const said = ({ number, params, value, epochs }) =>
  `Trial ${number}: ${percent(value)} after ${epochs} epochs, ${Object.entries(params ?? {}).map(([field, one]) => `${field} ${typeof one === "number" ? loss(one) : one}`).join(", ")}`;

/** An axis, on which a stretch can be marked. @param {{axis: import("./axes.js").Axis, x: number}} props */
function Drawn({ axis, x }) {
  const { query } = usePlace();
  const [mark, setMark] = useState(/** @type {[number, number] | null} */ (null));
  const { spans } = filters(query);
  const place = (/** @type {any} */ event) => {
    const box = event.currentTarget.ownerSVGElement.getBoundingClientRect();
    const y = ((event.clientY - box.top) / box.height) * HEIGHT;
    const at = 1 - (y - TOP) / (HEIGHT - TOP - BOTTOM);
    return at < SNAP ? 0 : at > 1 - SNAP ? 1 : at;
  };
  const begin = (/** @type {any} */ event) => {
    if (!axis.value) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setMark([place(event), place(event)]);
  };
  const end = () => {
    if (!mark || !axis.value) return;
    const [low, high] = [...mark].sort((one, other) => one - other);
    const others = spans.filter(({ field }) => field !== axis.field);
    const news = high - low < 0.02 ? [] : [{ field: axis.field, low: axis.value(low), high: axis.value(high) }];
    setMark(null);
    ask({ span: [...others, ...news].map(written) });
  };
  return html`<g>
    <line x1=${x} x2=${x} y1=${down(1)} y2=${down(0)} class="axis" />
    <text x=${x} y="14" class="axis-name">${axis.field}</text>
    ${axis.ticks.map(({ at, text }) => html`<text key=${at} x=${x - 6} y=${down(at) + 4} class="axis-tick">${text}</text>`)}
    ${mark && html`<rect x=${x - 7} width="14" y=${down(Math.max(...mark))} height=${Math.abs(down(mark[0]) - down(mark[1]))} class="axis-mark" />`}
    <rect x=${x - 14} y=${down(1)} width="28" height=${down(0) - down(1)} class=${axis.value ? "axis-hand" : "axis-none"}
      onPointerDown=${begin} onPointerMove=${(/** @type {any} */ event) => mark && setMark([mark[0], place(event)])} onPointerUp=${end} />
  </g>`;
}
