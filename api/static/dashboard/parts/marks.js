// What is drawn with a line of a chart: points that stand out, and limits on its x axis.

import { SHAPES } from "./plot.js";

/** @typedef {import("./uplot.js").Line} Line */
/** @typedef {import("./uplot.js").Range} Range */

/**
 * A point where it has a y, else a limit: a line across the chart.
 * @typedef {object} Marked
 * @property {number} x
 * @property {number | null} y
 * @property {import("./plot.js").Shape} [shape] of a point
 * @property {number} [size] of it, as a factor
 * @property {string} [text] beside a limit
 */

/**
 * What an axis must span for the marks to lie on it.
 * @param {Line[]} lines @param {"x" | "y"} axis @param {(number | null)[]} range of the lines; null where none shows
 * @returns {Range}
 */
export function spanOf(lines, axis, range) {
  const values = [...range, ...lines.flatMap(({ marks = [] }) => marks.map((mark) => mark[axis]))].filter((value) => value !== null);
  return values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
}

/** How wide a limit is drawn. Pixels. */
const LIMIT = 2;

/** Between the text of one limit and that of the next. Pixels. */
const LINE = 15;

/**
 * Draws the marks of all lines that show: limits first, points upon them.
 * @param {any} chart
 * @param {Line[]} lines
 * @param {(line: Line, number: number) => string} colourOf
 * @param {{ground: string, font: string}} style
 */
export function drawMarks(chart, lines, colourOf, style) {
  const pen = /** @type {CanvasRenderingContext2D} */ (chart.ctx);
  const dense = devicePixelRatio || 1;
  const drawn = lines.flatMap((line, number) => (chart.series[number + 1].show ? (line.marks ?? []).map((mark) => ({ mark, line, colour: colourOf(line, number) })) : []));
  const limits = drawn.filter(({ mark }) => mark.y === null);
  pen.save();
  limits.forEach((one, place) => drawLimit(pen, chart, one, place, dense, style));
  for (const { mark, colour } of drawn) if (mark.y !== null) drawPoint(pen, chart, { ...mark, y: mark.y }, colour, dense, style.ground);
  pen.restore();
}

/**
 * @param {CanvasRenderingContext2D} pen @param {any} chart @param {{mark: Marked, line: Line, colour: string}} limit @param {number} place
 * @param {number} dense @param {{ground: string, font: string}} style
 */
function drawLimit(pen, chart, { mark, line, colour }, place, dense, { ground, font }) {
  const x = chart.valToPos(mark.x, "x", true);
  const { left, top, width, height } = chart.bbox;
  if (x < left || x > left + width) return;
  pen.strokeStyle = colour;
  pen.lineWidth = LIMIT * dense;
  pen.setLineDash((line.dash ?? []).map((length) => length * dense));
  pen.beginPath();
  pen.moveTo(x, top);
  pen.lineTo(x, top + height);
  pen.stroke();
  pen.setLineDash([]);
  const right = x > left + width / 2;
  pen.font = font.replace("12px", `${12 * dense}px`);
  pen.textAlign = right ? "right" : "left";
  pen.textBaseline = "top";
  pen.lineWidth = 4 * dense;
  pen.strokeStyle = ground;
  pen.fillStyle = colour;
  const at = /** @type {const} */ ([mark.text ?? "", x + (right ? -6 : 6) * dense, top + (4 + LINE * place) * dense]);
  pen.strokeText(...at);
  pen.fillText(...at);
}

/**
 * @param {CanvasRenderingContext2D} pen @param {any} chart @param {Marked & {y: number}} mark @param {string} colour @param {number} dense @param {string} ground
 */
function drawPoint(pen, chart, { x, y, shape = "dot", size = 1 }, colour, dense, ground) {
  const [left, top] = [chart.valToPos(x, "x", true), chart.valToPos(y, "y", true)];
  const box = chart.bbox;
  if (left < box.left || left > box.left + box.width) return;
  pen.save();
  pen.translate(left, top);
  pen.scale(size * dense, size * dense);
  const path = new Path2D(SHAPES[shape]);
  pen.fillStyle = colour;
  pen.fill(path);
  pen.strokeStyle = ground;
  pen.lineWidth = 1.25 / size;
  pen.stroke(path);
  pen.restore();
}
