// Charts of series: uPlot, in the colours of the page, drawn anew when its size or the theme changes. An empty chart says why it is empty.

import { loss } from "../format.js";
import { useSignal } from "../signal.js";
import { shownTheme } from "../theme.js";
import uPlot from "../vendor/uplot.js";
import { html, useEffect, useRef } from "../view.js";
import { Empty } from "./basics.js";

/** @typedef {{name: string, points: [number, number][], dash?: number[], hidden?: boolean, colour?: number}} Line */

/** Of the palette in styles/base.css, `--c1` and so on. */
const COLOURS = 8;

/**
 * @param {object} props
 * @param {Line[]} props.lines each in order of x
 * @param {string} props.label what it shows, for those who cannot see it
 * @param {string} props.x @param {string} props.y names of the axes, with units
 * @param {boolean} [props.log] a logarithmic y axis
 * @param {boolean} [props.logX] a logarithmic x axis
 * @param {(value: number) => string} [props.formatX] of x
 * @param {string} props.empty why there is nothing to show yet
 * @param {(value: number) => string} [props.format] of y
 * @param {number} [props.height] in pixels
 */
export function Chart({ lines, label, x, y, log = false, logX = false, formatX, empty, format = loss, height = 280 }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const colours = useSignal(shownTheme);
  const some = lines.some((line) => line.points.length);
  useEffect(() => {
    const element = place.current;
    if (!element || !some) return;
    const chart = new uPlot(options({ lines, x, y, log, logX, format, formatX, height, element }), table(lines, log), element);
    const sized = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    sized.observe(element);
    return () => {
      sized.disconnect();
      chart.destroy();
    };
  }, [lines, some, log, colours, height, x, y]);
  if (!some) return html`<${Empty}>${empty}</${Empty}>`;
  return html`<div class="chart" ref=${place} role="img" aria-label=${label}></div>`;
}

/**
 * All series over the values of x that any of them has.
 * @param {Line[]} lines
 * @param {boolean} log where a value of nought or less has no place
 */
function table(lines, log) {
  const drawn = lines.map(({ points }) => (log ? points.filter(([, value]) => value > 0) : points));
  return uPlot.join(drawn.map((points) => [points.map(([at]) => at), points.map(([, value]) => value)]));
}

/** @param {(value: number) => string} format @returns {(chart: any, ticks: (number | null)[]) => string[]} as uPlot asks for it */
const ticks = (format) => (_, values) => values.map((value) => (value === null ? "" : format(value)));

/** @param {{lines: Line[], x: string, y: string, log: boolean, logX: boolean, formatX?: (value: number) => string, format: (value: number) => string, height: number, element: HTMLElement}} wanted */
function options({ lines, x, y, log, logX, format, formatX, height, element }) {
  const style = getComputedStyle(element);
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const axis = { stroke: of("--text-faint"), grid: { stroke: of("--line"), width: 1 }, ticks: { stroke: of("--line"), width: 1 }, font: `12px ${of("--font")}`, labelFont: `12px ${of("--font")}` };
  return {
    width: element.clientWidth,
    height,
    scales: { x: { time: false, distr: logX ? 3 : 1 }, y: log ? { distr: 3 } : {} },
    cursor: { focus: { prox: 24 }, drag: { x: true, y: false } },
    focus: { alpha: 0.25 },
    legend: { live: true },
    axes: [
      { ...axis, label: x, size: 44, ...(formatX ? { values: ticks(formatX) } : {}) },
      { ...axis, label: y, size: 68, values: ticks(format) },
    ],
    series: [
      { label: x, ...(formatX ? { value: (/** @type {any} */ _, /** @type {number | null} */ value) => (value === null ? "–" : formatX(value)) } : {}) },
      ...lines.map((line, number) => ({
        label: line.name,
        show: !line.hidden,
        stroke: of(`--c${((line.colour ?? number) % COLOURS) + 1}`),
        width: 1.5,
        dash: line.dash,
        spanGaps: true,
        points: { show: line.points.length < 2 ? true : undefined },
        value: (/** @type {any} */ _, /** @type {number | null} */ value) => (value === null ? "–" : format(value)),
      })),
    ],
  };
}
