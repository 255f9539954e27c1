// A time axis with rows of bars, one group of rows for each worker: what was done when, and how it ended. A bar is a button, so that keys reach
// it; how it ended is told by its pattern and a mark, not by its colour alone.

import { duration } from "../format.js";
import { html, useState } from "../view.js";

/**
 * @typedef {object} Bar
 * @property {string} id
 * @property {string} group whose row it stands in
 * @property {string} label
 * @property {string} outcome `succeeded`, `running`, `failed`, `lost`, `cancelled`, `released`
 * @property {number} from @property {number} to milliseconds
 * @property {string} says all of it, in words
 */

/** @type {Record<string, string>} */
const MARKS = { succeeded: "", running: "▸", failed: "✕", lost: "⚡", cancelled: "◌", released: "↩" };

/** @param {{bars: Bar[], label: string}} props bars in order of their begin */
export function Bars({ bars, label }) {
  const [at, setAt] = useState(/** @type {string | null} */ (null));
  const [pointed, setPointed] = useState(/** @type {string | null} */ (null));
  const from = bars[0].from;
  const to = Math.max(...bars.map((bar) => bar.to), from + 1000);
  const place = (/** @type {number} */ time) => (100 * (time - from)) / (to - from);
  const focused = bars.find((bar) => bar.id === at) ?? bars[0];
  const shown = bars.find((bar) => bar.id === (pointed ?? at));
  const walk = (/** @type {KeyboardEvent} */ event) => {
    const number = bars.indexOf(focused);
    const next = { ArrowRight: number + 1, ArrowLeft: number - 1, Home: 0, End: bars.length - 1 }[event.key];
    if (next === undefined || !bars[next]) return;
    event.preventDefault();
    setAt(bars[next].id);
    const list = /** @type {HTMLElement} */ (event.currentTarget);
    /** @type {HTMLElement | null} */ (list.querySelector(`[data-bar="${next}"]`))?.focus();
  };
  return html`<div class="bars" role="group" aria-label="${label}. Arrow keys lead from one to the next." onKeyDown=${walk} onMouseLeave=${() => setPointed(null)}>
    ${groups(bars).map(({ name, rows }) => html`<div class="bars-group" key=${name}>
      <div class="bars-name">${name}</div>
      <div class="bars-rows">${rows.map((row) => html`<div class="bars-row">
        ${row.map((bar) => html`<button type="button" key=${bar.id} data-bar=${bars.indexOf(bar)} class="bar bar-${bar.outcome}" tabindex=${bar === focused ? 0 : -1}
          style=${{ left: `${place(bar.from)}%`, width: `${place(bar.to) - place(bar.from)}%` }} aria-label=${bar.says}
          onFocus=${() => setAt(bar.id)} onMouseEnter=${() => setPointed(bar.id)}><span aria-hidden="true">${MARKS[bar.outcome]} ${bar.label}</span></button>`)}
      </div>`)}</div>
    </div>`)}
    <div class="bars-group" aria-hidden="true"><div class="bars-name"></div><div class="bars-axis">
      ${ticks(to - from).map((time) => html`<span key=${time} style=${{ left: `${place(from + time)}%` }}>${time ? duration(time / 1000) : "0"}</span>`)}
    </div></div>
    <p class="bars-says" aria-live="polite">${shown ? shown.says : html`<span class="faint">Point at a bar, or walk with the arrow keys, to see what it was.</span>`}</p>
  </div>`;
}

/** Groups in order of their names; of each as many rows as bars overlap. @param {Bar[]} bars */
function groups(bars) {
  /** @type {Map<string, Bar[][]>} */
  const found = new Map();
  for (const bar of bars) {
    const rows = found.get(bar.group) ?? found.set(bar.group, []).get(bar.group) ?? [];
    const free = rows.find((row) => (row.at(-1)?.to ?? 0) <= bar.from);
    if (free) free.push(bar);
    else rows.push([bar]);
  }
  return [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, rows]) => ({ name, rows }));
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400].map((seconds) => 1000 * seconds);

/** Round times up to that one, at most seven. @param {number} length milliseconds */
function ticks(length) {
  const step = STEPS.find((step) => length / step <= 6) ?? Math.ceil(length / 6 / 86_400_000) * 86_400_000;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, number) => number * step);
}
