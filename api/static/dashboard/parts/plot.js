// Drawings in SVG on two axes: how wide there is room, what lies where, the axes themselves. Their texts keep their size on every screen.

import { html, useLayoutEffect, useRef, useState } from "../view.js";

/**
 * How wide an element is, in pixels; 0 until it is known.
 * @returns {[import("./plot.js").Ref, number]}
 */
export function useWidth() {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const seen = element.current;
    if (!seen) return;
    const sized = new ResizeObserver(() => setWidth(Math.floor(seen.clientWidth)));
    setWidth(Math.floor(seen.clientWidth));
    sized.observe(seen);
    return () => sized.disconnect();
  }, []);
  return [element, width];
}

/** @typedef {{current: HTMLElement | null}} Ref */
/** @typedef {((value: number) => number) & {back: (pixel: number) => number, low: number, high: number}} Scale */

/**
 * From values to pixels.
 * @param {number} low @param {number} high values at the ends
 * @param {number} from @param {number} to pixels there
 * @returns {Scale}
 */
export function scale(low, high, from, to) {
  const span = high - low || 1;
  const place = (/** @type {number} */ value) => from + ((value - low) / span) * (to - from);
  const back = (/** @type {number} */ pixel) => low + ((pixel - from) / (to - from || 1)) * span;
  return Object.assign(place, { back, low, high });
}

/**
 * Round values between two, about so many.
 * @param {number} low @param {number} high @param {number} wanted
 */
export function ticks(low, high, wanted) {
  const rough = (high - low) / Math.max(wanted, 1);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, number) => (first + number) * step);
}

/**
 * How ticks are written: where some would read the same, with as many digits as the step between them has.
 * @param {number[]} values ascending
 * @param {(value: number) => string} format
 */
export function apart(values, format) {
  if (new Set(values.map((value) => format(value))).size === values.length) return format;
  const step = Math.min(...values.slice(1).map((value, place) => value - values[place]));
  const digits = Math.min(Math.max(-Math.floor(Math.log10(step) + 1e-9), 0), MOST_DIGITS);
  return (/** @type {number} */ value) => value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Behind the point: all that a browser writes. */
const MOST_DIGITS = 20;

/**
 * Both axes with their grid, names and values. Values are told in words elsewhere.
 * @param {{x: Scale, y: Scale, box: Box, xName: string, yName: string, xFormat: (value: number) => string, yFormat: (value: number) => string}} props
 */
export function Axes({ x, y, box, xName, yName, xFormat, yFormat }) {
  const { left, right, top, bottom } = box;
  const across = ticks(x.low, x.high, (right - left) / 110);
  const up = ticks(y.low, y.high, (bottom - top) / 50);
  const [xText, yText] = [apart(across, xFormat), apart(up, yFormat)];
  return html`<g class="axes" aria-hidden="true">
    ${across.map((value) => html`<g key=${`x${value}`}>
      <line x1=${x(value)} x2=${x(value)} y1=${top} y2=${bottom} /><text x=${x(value)} y=${bottom + 16} text-anchor="middle">${xText(value)}</text>
    </g>`)}
    ${up.map((value) => html`<g key=${`y${value}`}>
      <line x1=${left} x2=${right} y1=${y(value)} y2=${y(value)} /><text x=${left - 6} y=${y(value) + 4} text-anchor="end">${yText(value)}</text>
    </g>`)}
    <text class="axis" x=${(left + right) / 2} y=${bottom + 34} text-anchor="middle">${xName}</text>
    <text class="axis" x=${left - 6} y=${top - 16} text-anchor="start" dx=${-Math.min(left - 10, 44)}>${yName}</text>
  </g>`;
}

/** @typedef {{left: number, right: number, top: number, bottom: number}} Box pixels */

/** Paths of marks that are told apart by their shape as well as by their colour, around nought and about 12 pixels wide. */
export const SHAPES = {
  dot: "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0",
  star: "M0,-8L2,-2.6L7.6,-2.5L3.2,1L4.7,6.5L0,3.3L-4.7,6.5L-3.2,1L-7.6,-2.5L-2,-2.6Z",
  square: "M-5,-5H5V5H-5Z",
  diamond: "M0,-7L6,0L0,7L-6,0Z",
  triangle: "M0,-6L6,5H-6Z",
  corners: "M-10,-5V-10H-5M5,-10H10V-5M10,5V10H5M-5,10H-10V5",
  ring: "M-10,0a10,10 0 1,0 20,0a10,10 0 1,0 -20,0",
};

/** @typedef {keyof typeof SHAPES} Shape */

/** @param {{shape: Shape, x: number, y: number, className?: string}} props */
export const Mark = ({ shape, x, y, className = "" }) =>
  html`<path class="mark ${className}" d=${SHAPES[shape]} transform="translate(${x} ${y})" />`;

/** What the marks mean. @param {{items: {shape: Shape, className: string, label: string}[]}} props */
export const Legend = ({ items }) => html`<ul class="plot-marks">
  ${items.map(({ shape, className, label }) => html`<li key=${label}>
    <svg width="16" height="16" viewBox="-11 -11 22 22" aria-hidden="true"><${Mark} shape=${shape} x=${0} y=${0} className=${className} /></svg>${label}
  </li>`)}
</ul>`;
