// How uPlot is used here: series of any points over one axis, in the colours of the page.

import uPlot from "../vendor/uplot.js";
import { drawMarks, spanOf } from "./marks.js";
import { apart } from "./plot.js";

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} [id] tells it from another of the same name
 * @property {[number, number][]} points in order of x
 * @property {number[]} [dash]
 * @property {boolean} [hidden] until the reader shows it
 * @property {number} [colour] number of it in the palette
 * @property {number} [width] of its stroke, in pixels
 * @property {import("./marks.js").Marked[]} [marks] points and limits that are drawn with it
 */
/** @typedef {[number, number]} Range */
/** @typedef {{x: number | null, values: (number | null)[]}} Pointed what lies below the pointer: the value of each line nearest to x */

/** What tells a line from the others. @param {Line} line */
export const keyOf = ({ id, name }) => id ?? name;

/** Of the palette in styles/base.css, `--c1` and so on. */
const COLOURS = 8;

/** @param {Line} line @param {number} number */
export const colourOf = (line, number) => `--c${((line.colour ?? number) % COLOURS) + 1}`;

/**
 * All lines over the values of x that any of them has.
 * @param {Line[]} lines
 * @param {boolean} log where a value of nought or less has no place
 */
export function table(lines, log) {
  const drawn = lines.map(({ points }) => (log ? points.filter(([, value]) => value > 0) : points));
  return uPlot.join(drawn.map((points) => [points.map(([at]) => at), points.map(([, value]) => value)]));
}

/**
 * @param {object} wanted
 * @param {Line[]} wanted.lines
 * @param {string} wanted.x @param {string} wanted.y
 * @param {boolean} wanted.log @param {boolean} wanted.logX
 * @param {(value: number) => string} wanted.format @param {(value: number) => string} wanted.formatX
 * @param {number} wanted.height
 * @param {HTMLElement} wanted.element
 * @param {() => Range | null} wanted.range that shows; null for all there is
 * @param {(range: Range | null) => void} wanted.onZoom
 * @param {(pointed: Pointed) => void} wanted.onPoint
 */
export function make({ lines, x, y, log, logX, format, formatX, height, element, range, onZoom, onPoint }) {
  const style = getComputedStyle(element);
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const font = `12px ${of("--font")}`;
  const line = { stroke: of("--line"), width: 1 };
  const axis = { stroke: of("--text-faint"), grid: line, ticks: line, font, labelFont: font };
  return new uPlot(
    {
      width: element.clientWidth,
      height,
      scales: { x: { time: false, distr: logX ? 3 : 1, range: (/** @type {any} */ _, /** @type {number | null} */ least, /** @type {number | null} */ most) => range() ?? around(...spanOf(lines, "x", [least, most])) }, y: log ? { distr: 3, range: logRange } : roomFor(lines) },
      cursor: {
        focus: { prox: 24 },
        drag: { x: true, y: false, setScale: false },
        dataIdx: nearest,
        bind: { dblclick: () => () => onZoom(null) },
      },
      focus: { alpha: 0.25 },
      legend: { show: false },
      axes: [
        { ...axis, label: x, size: 34, labelSize: 22, ...(logX ? {} : { incrs: WHOLE }), values: ticks(formatX) },
        { ...axis, label: y, size: 62, labelSize: 22, values: ticks(format) },
      ],
      series: [{ label: x }, ...lines.map((one, number) => ({ label: one.name, show: !one.hidden, stroke: of(colourOf(one, number)), width: one.width ?? 1.5, dash: one.dash, spanGaps: true, points: { show: one.points.length < 2 } }))],
      hooks: {
        draw: [(/** @type {any} */ chart) => drawMarks(chart, lines, (line, number) => of(colourOf(line, number)), { ground: of("--panel"), font })],
        setSelect: [(/** @type {any} */ chart) => zoomed(chart, onZoom)],
        setCursor: [(/** @type {any} */ chart) => onPoint(pointed(chart))],
      },
    },
    table(lines, log),
    element,
  );
}

/** @param {(value: number) => string} format @returns {(chart: any, ticks: (number | null)[]) => string[]} as uPlot asks for it */
const ticks = (format) => (_, values) => {
  const written = apart(/** @type {number[]} */ (values.filter((value) => value !== null)), format);
  return values.map((value) => (value === null ? "" : written(value)));
};

/** Steps and epochs are whole: so are the labels. Distances between two of them. */
const WHOLE = [1, 2, 5].flatMap((digit) => Array.from({ length: 16 }, (_, power) => digit * 10 ** power)).sort((one, other) => one - other);

/** An axis on which marks beside the lines have room too. @param {Line[]} lines @returns {any} */
const roomFor = (lines) =>
  lines.some(({ marks }) => marks?.length)
    ? { range: (/** @type {any} */ _, /** @type {number | null} */ least, /** @type {number | null} */ most) => uPlot.rangeNum(...spanOf(lines, "y", [least, most]), 0.1, true) }
    : {};

/** With some room; where no line shows, any. @param {any} _ @param {number | null} least @param {number | null} most @returns {Range} */
const logRange = (_, least, most) => (least && most ? [floor(least / 1.1), most * 1.15] : [1, 10]);

/** The next value below that has one digit: a logarithmic axis begins with a label. @param {number} value above nought */
const floor = (value) => Number(`${Number(value.toExponential(15).slice(0, 1))}e${Math.floor(Math.log10(value))}`);

/** A range in which a single point has room. @param {number} least @param {number} most @returns {Range} */
const around = (least, most) => (least === most ? [least - 1, most + 1] : [least, most]);

/** @param {any} chart @param {(range: Range) => void} onZoom */
function zoomed(chart, onZoom) {
  const { left, width } = chart.select;
  if (width < 5) return;
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onZoom([chart.posToVal(left, "x"), chart.posToVal(left + width, "x")]);
}

/**
 * Of a line that has no point there, the place of the nearest that it has.
 * @param {any} chart @param {number} series @param {number} place
 */
function nearest(chart, series, place) {
  const values = chart.data[series];
  if (series === 0 || values[place] != null) return place;
  const xs = chart.data[0];
  let before = place;
  let after = place;
  while (before >= 0 && values[before] == null) before -= 1;
  while (after < values.length && values[after] == null) after += 1;
  if (before < 0) return after < values.length ? after : null;
  if (after >= values.length) return before;
  return xs[place] - xs[before] <= xs[after] - xs[place] ? before : after;
}

/** @param {any} chart @returns {Pointed} */
function pointed(chart) {
  const { idx, idxs } = chart.cursor;
  if (idx == null) return { x: null, values: [] };
  return { x: chart.data[0][idx], values: chart.data.slice(1).map((/** @type {any} */ values, /** @type {number} */ number) => (idxs[number + 1] == null ? null : values[idxs[number + 1]])) };
}
