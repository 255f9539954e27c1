// Below a chart: its lines with what they are at the cursor, to be shown and hidden; and as a table.

import { exact } from "../format.js";
import { useSignal } from "../signal.js";
import { html, useState } from "../view.js";
import { Table } from "./table.js";
import { colourOf, keyOf } from "./uplot.js";

/** @typedef {import("./uplot.js").Line} Line */

/** More lines than that are told in a box of their own that scrolls. */
const MANY = 40;

/**
 * @param {object} props
 * @param {Line[]} props.lines
 * @param {import("../signal.js").Signal<import("./uplot.js").Pointed>} props.pointed
 * @param {string} props.x
 * @param {(value: number) => string} props.formatX
 * @param {(value: number) => string} props.format
 * @param {((line: Line) => void) | null} props.toggle null where lines are chosen elsewhere: then it tells only what is pointed at
 * @param {(number: number | null) => void} props.focus makes one of the lines stand out
 */
export function Legend({ lines, pointed, x, formatX, format, toggle, focus }) {
  const { x: at, values } = useSignal(pointed);
  const many = lines.length > MANY ? { class: "legend legend-many", tabindex: 0, role: "group", "aria-label": "Lines" } : { class: "legend" };
  return html`<div ...${many}>
    <span class="legend-x number">${at === null ? "" : `${x} ${formatX(at)}`}</span>
    ${lines.map((line, number) => {
      const value = values[number];
      const entry = html`<${Swatch} line=${line} number=${number} /> ${line.name}${at !== null && value != null && html` <span class="number">${format(value)}</span>`}`;
      const pointing = { onMouseEnter: () => focus(number), onMouseLeave: () => focus(null), onFocus: () => focus(number), onBlur: () => focus(null) };
      if (toggle) return html`<button type="button" key=${keyOf(line)} class="legend-line" aria-pressed=${!line.hidden} ...${pointing} onClick=${() => toggle(line)}>${entry}</button>`;
      return !line.hidden && at !== null && html`<span key=${keyOf(line)} class="legend-line" ...${pointing}>${entry}</span>`;
    })}
  </div>`;
}

/** A piece of the line as it is drawn. @param {{line: Line, number: number}} props */
export const Swatch = ({ line, number }) => html`<svg class="swatch" width="22" height="8" aria-hidden="true"><line x1="0" y1="4" x2="22" y2="4" stroke-width=${Math.min(line.width ?? 2.5, 5)}
  style=${{ stroke: `var(${colourOf(line, number)})` }} stroke-dasharray=${line.dash?.join(" ")} /></svg>`;

/** What the lines come to, for those who read figures rather than look at lines. @param {{lines: Line[], label: string, x: string, formatX: (value: number) => string, format: (value: number) => string}} props */
export function Summary({ lines, label, x, formatX, format }) {
  const [open, setOpen] = useState(false);
  const columns = [
    { id: "name", label: "Series", cell: (/** @type {any} */ row) => row.name },
    { id: "count", label: "Points shown", number: true, cell: (/** @type {any} */ row) => exact(row.points.length) },
    ...["First", "Last", "Lowest", "Highest"].map((which) => ({ id: which, label: which, number: true, cell: (/** @type {any} */ row) => told(row[which], x, formatX, format) })),
  ];
  return html`<details class="as-table" open=${open} onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
    <summary>As a table</summary>
    ${open && html`<${Table} caption=${label} columns=${columns} rows=${lines.filter((line) => line.points.length).map(summed)} />`}
  </details>`;
}

/** @param {[number, number]} point @param {string} x @param {(value: number) => string} formatX @param {(value: number) => string} format */
const told = ([at, value], x, formatX, format) => html`${format(value)} <span class="faint">${x} ${formatX(at)}</span>`;

/** @param {Line} line */
function summed({ name, points }) {
  let [lowest, highest] = [points[0], points[0]];
  for (const point of points) {
    if (point[1] < lowest[1]) lowest = point;
    if (point[1] > highest[1]) highest = point;
  }
  return { name, points, First: points[0], Last: points.at(-1), Lowest: lowest, Highest: highest };
}
