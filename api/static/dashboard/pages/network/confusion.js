// The confusion matrix as a heat map: a row for each class, a column for each answer. By mouse and by arrow keys; the largest in words.

import { exact, percent } from "../../format.js";
import { useSignal } from "../../signal.js";
import { shownTheme } from "../../theme.js";
import { useWidth } from "../../parts/plot.js";
import { html, useEffect, useMemo, useRef, useState } from "../../view.js";

/** Room for the names of classes; smaller cells than `NAMED` have none. Pixels. */
const MARGIN = 110;
/** Room for what an axis is, before them. */
const TITLE = 18;
const LETTER = 6.5;
const NAMED = 13;
const LARGEST = 44;

/** Confusions that are told in words. */
const TOLD = 12;

/** More classes than this are no table that anyone reads. */
const TABLE = 25;

/** @param {{classes: string[], matrix: number[][]}} props */
export function Confusion({ classes, matrix }) {
  const [element, width] = useWidth();
  const [at, setAt] = useState(/** @type {[number, number]} */ ([0, 0]));
  const sums = useMemo(() => matrix.map((row) => row.reduce((sum, images) => sum + images, 0)), [matrix]);
  const grid = gridOf(classes, width);
  const move = (/** @type {KeyboardEvent} */ event) => {
    const [row, column] = at;
    const last = classes.length - 1;
    const to = { ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], Home: [row, row] }[event.key];
    if (!to) return;
    event.preventDefault();
    setAt([Math.min(Math.max(to[0], 0), last), Math.min(Math.max(to[1], 0), last)]);
  };
  return html`<div class="confusion">
    <div class="confusion-map" ref=${element}>${width > 0 && html`<${Map} classes=${classes} matrix=${matrix} sums=${sums} grid=${grid} at=${at} onAt=${setAt} onKeyDown=${move} />`}
      <p class="faint">A row for each true class, a column for each predicted one; what is right lies on the diagonal.</p>
      <p class="looked" aria-live="polite">${inWords(classes, matrix, sums, at)}</p></div>
    <${Told} classes=${classes} matrix=${matrix} onAt=${setAt} />
  </div>
  ${classes.length <= TABLE && html`<${Numbers} classes=${classes} matrix=${matrix} />`}`;
}

/** @param {string[]} classes @param {number} width */
function gridOf(classes, width) {
  const room = TITLE + Math.min(MARGIN, 12 + LETTER * Math.max(...classes.map((name) => name.length)));
  const named = (width - room) / classes.length >= NAMED;
  const margin = named ? room : TITLE + 4;
  const cell = Math.max(Math.min((width - margin - 4) / classes.length, LARGEST), 2);
  return { named, margin, cell, side: margin + cell * classes.length + 2 };
}

/** @typedef {ReturnType<typeof gridOf>} Grid */

/**
 * @param {{classes: string[], matrix: number[][], sums: number[], grid: Grid, at: [number, number], onAt: (at: [number, number]) => void, onKeyDown: (event: KeyboardEvent) => void}} props
 */
function Map({ classes, matrix, sums, grid, at, onAt, onKeyDown }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const theme = useSignal(shownTheme);
  useEffect(() => {
    if (canvas.current) draw(canvas.current, classes, matrix, sums, grid, at);
  }, [matrix, grid.side, theme, at]);
  const look = (/** @type {any} */ event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const place = (/** @type {number} */ pixel) => Math.floor((pixel - grid.margin) / grid.cell);
    const [row, column] = [place(event.clientY - box.top), place(event.clientX - box.left)];
    if (row >= 0 && column >= 0 && row < classes.length && column < classes.length && (row !== at[0] || column !== at[1])) onAt([row, column]);
  };
  return html`<canvas ref=${canvas} tabindex="0" role="img" style=${{ width: `${grid.side}px`, height: `${grid.side}px` }} onPointerMove=${look} onPointerDown=${look} onKeyDown=${onKeyDown}
    aria-label="Confusion matrix of ${classes.length} classes: rows are the true classes, columns the predicted ones. ${inWords(classes, matrix, sums, at)}"></canvas>`;
}

/**
 * @param {HTMLCanvasElement} canvas @param {string[]} classes @param {number[][]} matrix @param {number[]} sums @param {Grid} grid @param {[number, number]} at
 */
function draw(canvas, classes, matrix, sums, grid, at) {
  const style = getComputedStyle(canvas);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const dense = devicePixelRatio || 1;
  canvas.width = canvas.height = Math.round(grid.side * dense);
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.scale(dense, dense);
  pen.font = `11px ${colour("--font")}`;
  const gap = grid.cell > 8 ? 1 : 0;
  const cell = (/** @type {number} */ row, /** @type {number} */ column) => /** @type {const} */ ([grid.margin + column * grid.cell, grid.margin + row * grid.cell, grid.cell - gap, grid.cell - gap]);
  matrix.forEach((images, row) =>
    images.forEach((count, column) => {
      const share = sums[row] ? count / sums[row] : 0;
      pen.globalAlpha = 1;
      pen.fillStyle = colour("--line");
      if (gap) pen.fillRect(...cell(row, column));
      // By the root, so that single mistakes are seen beside what is right.
      pen.globalAlpha = count ? 0.15 + 0.85 * Math.sqrt(share) : 0;
      pen.fillStyle = colour(row === column ? "--c1" : "--c2");
      pen.fillRect(...cell(row, column));
    }),
  );
  pen.globalAlpha = 1;
  pen.strokeStyle = colour("--text");
  pen.lineWidth = 2;
  pen.strokeRect(...cell(...at));
  if (grid.cell >= COUNTED) counts(pen, matrix, sums, grid, colour);
  titles(pen, grid, colour("--text-faint"));
  if (grid.named) names(pen, classes, grid, colour("--text"));
}

/** From so many pixels on, a cell has room for its number. */
const COUNTED = 26;

/** @param {CanvasRenderingContext2D} pen @param {number[][]} matrix @param {number[]} sums @param {Grid} grid @param {(name: string) => string} colour */
function counts(pen, matrix, sums, grid, colour) {
  pen.textAlign = "center";
  matrix.forEach((images, row) =>
    images.forEach((count, column) => {
      if (!count) return;
      pen.fillStyle = colour(count > 0.25 * sums[row] ? "--panel" : "--text");
      pen.fillText(String(count), grid.margin + (column + 0.5) * grid.cell, grid.margin + (row + 0.5) * grid.cell + 4);
    }),
  );
}

/** What the axes are. @param {CanvasRenderingContext2D} pen @param {Grid} grid @param {string} colour */
function titles(pen, grid, colour) {
  const middle = grid.margin + (grid.side - grid.margin) / 2;
  pen.fillStyle = colour;
  pen.textAlign = "center";
  pen.fillText("Predicted class", middle, 12);
  pen.save();
  pen.translate(12, middle);
  pen.rotate(-Math.PI / 2);
  pen.fillText("True class", 0, 0);
  pen.restore();
}

/** @param {CanvasRenderingContext2D} pen @param {string[]} classes @param {Grid} grid @param {string} colour */
function names(pen, classes, grid, colour) {
  pen.fillStyle = colour;
  classes.forEach((name, number) => {
    const middle = grid.margin + (number + 0.5) * grid.cell;
    const shown = shortened(pen, name, grid.margin - TITLE - 10);
    pen.textAlign = "right";
    pen.fillText(shown, grid.margin - 6, middle + 4);
    pen.save();
    pen.translate(middle + 4, grid.margin - 6);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "left";
    pen.fillText(shown, 0, 0);
    pen.restore();
  });
}

/** @param {CanvasRenderingContext2D} pen @param {string} name @param {number} room */
function shortened(pen, name, room) {
  let shown = name.slice(0, 40);
  if (shown === name && pen.measureText(shown).width <= room) return shown;
  while (shown && pen.measureText(`${shown}…`).width > room) shown = shown.slice(0, -1);
  return `${shown}…`;
}

/** @param {string[]} classes @param {number[][]} matrix @param {number[]} sums @param {[number, number]} at */
function inWords(classes, matrix, sums, [row, column]) {
  const of = `${exact(matrix[row][column])} of ${exact(sums[row])} pictures of “${classes[row]}”`;
  const share = sums[row] ? ` (${percent(matrix[row][column] / sums[row])})` : "";
  return row === column ? `${of} are recognised${share}.` : `${of} are taken for “${classes[column]}”${share}.`;
}

/** The largest confusions. @param {{classes: string[], matrix: number[][], onAt: (at: [number, number]) => void}} props */
function Told({ classes, matrix, onAt }) {
  const found = useMemo(() => {
    const pairs = matrix.flatMap((images, row) => images.map((count, column) => ({ row, column, count }))).filter(({ row, column, count }) => count && row !== column);
    return pairs.sort((one, other) => other.count - one.count).slice(0, TOLD);
  }, [matrix]);
  if (!found.length) return html`<p class="empty">No test picture is taken for another class.</p>`;
  return html`<div class="told"><h3>Largest confusions</h3><ol>${found.map(({ row, column, count }) => html`<li key=${`${row} ${column}`}>
    <button type="button" class="plain" onClick=${() => onAt([row, column])}>“${classes[row]}” for “${classes[column]}”: ${exact(count)} ${count === 1 ? "picture" : "pictures"}</button></li>`)}</ol></div>`;
}

/** @param {{classes: string[], matrix: number[][]}} props */
const Numbers = ({ classes, matrix }) => html`<details><summary>As a table</summary><div class="matrix" tabindex="0" role="region" aria-label="Confusion matrix"><table>
  <thead><tr><th scope="col">True class, predicted as</th>${classes.map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
  <tbody>${matrix.map((row, number) => html`<tr key=${number}><th scope="row">${classes[number]}</th>${row.map((images) => html`<td class="number">${images}</td>`)}</tr>`)}</tbody>
</table></div></details>`;
