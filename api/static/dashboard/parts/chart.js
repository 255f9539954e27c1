// Charts of series that can be walked through: by pointer or arrow keys, zoomed into, each line shown or hidden. What shows and how far it
// is zoomed into hold when new data come. An empty chart says why it is empty.

import { exact, loss } from "../format.js";
import { Signal, useSignal } from "../signal.js";
import { shownTheme } from "../theme.js";
import { html, useEffect, useMemo, useRef, useState } from "../view.js";
import { Empty } from "./basics.js";
import { Legend, Summary } from "./legend.js";
import { keyOf, make, table } from "./uplot.js";

/** @typedef {import("./uplot.js").Line} Line */
/** @typedef {import("./uplot.js").Range} Range */
/** @typedef {import("./uplot.js").Pointed} Pointed */

/** A step or an epoch, with every digit. @param {number} value */
const plainX = (value) => exact(value);

/**
 * @param {object} props
 * @param {Line[]} props.lines
 * @param {string} props.label what it shows, for those who cannot see it
 * @param {string} props.x @param {string} props.y names of the axes, with units
 * @param {boolean} [props.log] a logarithmic y axis
 * @param {boolean} [props.logX] a logarithmic x axis
 * @param {(value: number) => string} [props.formatX] of x
 * @param {string} props.empty why there is nothing to show yet
 * @param {(value: number) => string} [props.format] of y
 * @param {number} [props.height] in pixels
 * @param {Range | null} [props.range] of x that shows, where the page keeps it; null for all there is
 * @param {(range: Range | null) => void} [props.onRange] wants another; without it the chart keeps it by itself
 * @param {boolean} [props.legend] whether each line can be shown and hidden below the chart; else the page offers that
 */
export function Chart({ lines, label, x, y, log = false, logX = false, formatX = plainX, empty, format = loss, height = 280, range, onRange, legend = true }) {
  const [own, setOwn] = useState(/** @type {Range | null} */ (null));
  const [toggled, setToggled] = useState(/** @type {Map<string, boolean>} what the reader has shown or hidden */ (new Map()));
  const pointed = useMemo(() => new Signal(/** @type {Pointed} */ ({ x: null, values: [] })), []);
  const shown = useMemo(() => lines.map((line) => ({ ...line, hidden: toggled.get(keyOf(line)) ?? line.hidden ?? false })), [lines, toggled]);
  const zoom = onRange ?? setOwn;
  const showing = onRange ? (range ?? null) : own;
  const chart = usePlot({ lines: shown, x, y, log, logX, formatX, format, height, range: showing, zoom, pointed });
  if (!lines.some((line) => line.points.length)) return html`<${Empty}>${empty}</${Empty}>`;
  const toggle = (/** @type {Line} */ line) => setToggled(new Map(toggled).set(keyOf(line), !line.hidden));
  return html`<div class="chart-whole">
    <div class="chart-keys" tabindex="0" role="group" aria-label="${label}. Arrow keys read values, plus and minus zoom, 0 shows all." onKeyDown=${chart.walk}>
      <div class="chart" ref=${chart.place} role="img" aria-label=${label}></div>
    </div>
    ${showing && html`<button type="button" class="chart-all" onClick=${() => zoom(null)}>Show all</button>`}
    <${Legend} lines=${shown} pointed=${pointed} x=${x} formatX=${formatX} format=${format} toggle=${legend ? toggle : null} focus=${chart.focus} />
    <${Summary} lines=${shown} label=${label} x=${x} formatX=${formatX} format=${format} />
  </div>`;
}

/**
 * The plot itself, made anew only when more than its data change.
 * @param {object} wanted
 * @param {Line[]} wanted.lines
 * @param {string} wanted.x @param {string} wanted.y
 * @param {boolean} wanted.log @param {boolean} wanted.logX
 * @param {(value: number) => string} wanted.format @param {(value: number) => string} wanted.formatX
 * @param {number} wanted.height
 * @param {Range | null} wanted.range
 * @param {(range: Range | null) => void} wanted.zoom
 * @param {Signal<Pointed>} wanted.pointed
 */
function usePlot({ lines, x, y, log, logX, format, formatX, height, range, zoom, pointed }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const latest = useRef({ range, zoom });
  latest.current = { range, zoom };
  const theme = useSignal(shownTheme);
  const some = lines.some((line) => line.points.length);
  const shape = JSON.stringify([lines.map(({ name, dash, colour, width, marks, points }) => [name, dash, colour, width, marks, points.length < 2]), log, logX, x, y, height, theme, some]);
  useEffect(() => {
    const element = place.current;
    if (!element || !some) return;
    const made = make({ lines, x, y, log, logX, format, formatX, height, element, range: () => latest.current.range, onZoom: (to) => latest.current.zoom(to), onPoint: (value) => pointed.set(value) });
    plot.current = { made, lines };
    const sized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    sized.observe(element);
    return () => {
      sized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => {
    if (!plot.current) return;
    const { made, lines: before } = plot.current;
    plot.current.lines = lines;
    lines.forEach((line, number) => made.series[number + 1].show === !line.hidden || made.setSeries(number + 1, { show: !line.hidden }));
    if (lines.some((line, number) => line.points !== before[number].points)) made.setData(table(lines, log));
    else made.setData(made.data);
  }, [lines, range]);
  return { place, walk: (/** @type {KeyboardEvent} */ event) => walk(event, plot.current?.made, zoom), focus: (/** @type {number | null} */ number) => plot.current?.made.setSeries(number === null ? null : number + 1, { focus: true }) };
}

/**
 * Moves the cursor, or zooms around it, by keys.
 * @param {KeyboardEvent} event
 * @param {any} plot
 * @param {(range: Range | null) => void} zoom
 */
function walk(event, plot, zoom) {
  if (!plot) return;
  const { min, max } = plot.scales.x;
  const width = plot.over.clientWidth;
  const left = plot.cursor.left >= 0 ? plot.cursor.left : 0;
  const at = plot.posToVal(left, "x");
  const moved = { ArrowRight: width / 50, ArrowLeft: -width / 50, Home: -width, End: width }[event.key];
  const scaled = { "+": 0.5, "=": 0.5, "-": 2 }[event.key];
  if (moved !== undefined) plot.setCursor({ left: Math.min(width, Math.max(0, left + moved)), top: plot.over.clientHeight / 2 });
  else if (scaled !== undefined) zoom([at - (at - min) * scaled, at + (max - at) * scaled]);
  else if (event.key === "0" || event.key === "Escape") zoom(null);
  else return;
  event.preventDefault();
}
