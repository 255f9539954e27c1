// A cell as a strip: a mark for each candidate, by its loss, in the colour of an op. One canvas, so that thousands of candidates are quick;
// what lies below the pointer, or is walked to by keys, is told beside it.

import { count, exact, loss } from "../../format.js";
import { useSignal } from "../../signal.js";
import { shownTheme } from "../../theme.js";
import { html, useEffect, useRef, useState } from "../../view.js";

const HEIGHT = 44;

/** Room at both ends, so that a mark is seen whole. Pixels. */
const ROOM = 6;

/**
 * @param {object} props
 * @param {any} props.strip a cell of `ratings/strips`
 * @param {number} props.layer whose op gives the colour, from 0
 * @param {Map<string, number>} props.colours
 * @param {[number, number]} props.scale losses at both ends
 */
export function Strip({ strip, layer, colours, scale }) {
  const { block, cell, paths, items, min, median, max } = strip;
  const [at, setAt] = useState(/** @type {number | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const theme = useSignal(shownTheme);
  const winner = items.findIndex((/** @type {any} */ item) => item.chosen);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const paint = () => draw(element, { items, layer, colours, scale, at, winner });
    paint();
    const sized = new ResizeObserver(paint);
    sized.observe(element);
    return () => sized.disconnect();
  }, [strip, layer, colours, scale, at, winner, theme]);
  const name = `b${block}c${cell}`;
  const item = at === null ? null : items[at];
  const says = item && told(item, paths, at === winner);
  const point = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
    setAt(nearest(items, scale, (event.clientX - box.left - ROOM) / (box.width - 2 * ROOM)));
  };
  return html`<div class="strip">
    <div class="strip-head">
      <strong>${name}</strong>${winner >= 0 && html` <span class="strip-chosen">▲ the winner takes this cell</span>`}
      <span class="faint">${exact(paths)} candidates${items.length < paths && `, ${exact(items.length)} of them shown`}; loss ${loss(min)} to ${loss(max)}, median ${loss(median)}</span>
    </div>
    <div class="strip-marks" role="slider" tabindex="0" aria-label="Candidates of ${name} by loss, from the best on" aria-valuemin="1" aria-valuemax=${items.length} aria-valuenow=${(at ?? 0) + 1}
      aria-valuetext=${says ?? "arrow keys lead from the best to the worst"} onPointerMove=${point} onPointerDown=${point} onKeyDown=${(/** @type {KeyboardEvent} */ event) => walk(event, at, items.length, winner, setAt)}>
      <canvas ref=${canvas} height=${HEIGHT}></canvas>
    </div>
    <div class="strip-axis"><span class="number">${loss(scale[0])}</span><span>← loss of a candidate: lower, to the left, is better</span><span class="number">${loss(scale[1])}</span></div>
    <p class="strip-says">${says ?? html`<span class="faint">Point at the strip, or focus it and use the arrow keys${winner >= 0 && "; W leads to the winner's path"}.</span>`}</p>
  </div>`;
}

/** @param {any} item @param {number} paths @param {boolean} chosen */
const told = ({ rank, loss: value, ops, flops, params }, paths, chosen) =>
  `${chosen ? "The winner's path: number" : "Number"} ${exact(rank)} of ${exact(paths)}, loss ${loss(value)}: ${ops.join(", ")}; ${count(flops)} FLOPs, ${count(params)} parameters`;

/**
 * @param {KeyboardEvent} event
 * @param {number | null} at
 * @param {number} length
 * @param {number} winner
 * @param {(at: number) => void} go
 */
function walk(event, at, length, winner, go) {
  const now = at ?? -1;
  const next = { ArrowRight: now + 1, ArrowUp: now + 1, ArrowLeft: now - 1, ArrowDown: now - 1, PageUp: now + 10, PageDown: now - 10, Home: 0, End: length - 1, w: winner, W: winner }[event.key];
  if (next === undefined || (next < 0 && winner === next)) return;
  event.preventDefault();
  go(Math.min(length - 1, Math.max(0, next)));
}

/**
 * Number of the candidate whose loss is nearest to a place on the axis.
 * @param {any[]} items by loss
 * @param {[number, number]} scale
 * @param {number} share 0 to 1
 */
function nearest(items, [least, most], share) {
  const wanted = least + share * (most - least);
  let best = 0;
  for (let number = 1; number < items.length; number += 1) if (Math.abs(items[number].loss - wanted) < Math.abs(items[best].loss - wanted)) best = number;
  return best;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{items: any[], layer: number, colours: Map<string, number>, scale: [number, number], at: number | null, winner: number}} what
 */
function draw(canvas, { items, layer, colours, scale: [least, most], at, winner }) {
  const width = canvas.clientWidth;
  const ratio = devicePixelRatio;
  canvas.width = width * ratio;
  canvas.height = HEIGHT * ratio;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const style = getComputedStyle(canvas);
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const x = (/** @type {any} */ item) => ROOM + ((width - 2 * ROOM) * (item.loss - least)) / (most - least || 1);
  pen.scale(ratio, ratio);
  for (const item of items) {
    pen.fillStyle = of(`--c${colours.get(item.ops[Math.min(layer, item.ops.length - 1)])}`);
    pen.globalAlpha = 0.75;
    pen.fillRect(x(item) - 1, 6, 2, 26);
  }
  pen.globalAlpha = 1;
  pen.fillStyle = pen.strokeStyle = of("--text");
  if (winner >= 0) triangle(pen, x(items[winner]), 33);
  if (at !== null) pen.strokeRect(x(items[at]) - 2.5, 2.5, 5, 33);
}

/** @param {CanvasRenderingContext2D} pen @param {number} x @param {number} y of its tip */
function triangle(pen, x, y) {
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x - 5, y + 9);
  pen.lineTo(x + 5, y + 9);
  pen.fill();
}
