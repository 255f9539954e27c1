// The cells of a space, and buttons that show and hide their lines: each, those of a block, all.

import { Swatch } from "../../parts/legend.js";
import { html } from "../../view.js";

/** @typedef {{name: string, block: number, cell: number, depth: number, width: number, colour: number, dash: number[] | undefined}} Cell */

/** Tell the cells of a block apart: its colour is the block's. */
const DASHES = [undefined, [6, 3], [2, 2], [10, 3, 2, 3], [8, 2, 2, 2, 2, 2]];

/** @param {any} space of the resolved spec @returns {Cell[]} */
export const cellsOf = (space) =>
  space.blocks.flatMap((/** @type {any} */ { cells }, /** @type {number} */ block) =>
    cells.map((/** @type {any} */ { depth, width }, /** @type {number} */ cell) => ({ name: `b${block + 1}c${cell + 1}`, block: block + 1, cell: cell + 1, depth, width, colour: block, dash: DASHES[cell % DASHES.length] })),
  );

/** @param {{cells: Cell[], hidden: Set<string>, hide: (names: string[]) => void}} props `hide` is given the names of all that are to be hidden */
export function Cells({ cells, hidden, hide }) {
  const set = (/** @type {Cell[]} */ some, /** @type {boolean} */ off) => {
    const names = some.map(({ name }) => name);
    hide(off ? [...new Set([...hidden, ...names])] : [...hidden].filter((name) => !names.includes(name)));
  };
  const button = (/** @type {string} */ label, /** @type {Cell[]} */ some) => {
    const off = some.every(({ name }) => hidden.has(name));
    const pressed = off ? "false" : some.some(({ name }) => hidden.has(name)) ? "mixed" : "true";
    return html`<button type="button" class="legend-line legend-group" aria-pressed=${pressed} onClick=${() => set(some, !off)}>${label}</button>`;
  };
  const blocks = [...new Set(cells.map(({ block }) => block))];
  return html`<div class="legend" role="group" aria-label="Cells that show">
    ${button("All", cells)}
    ${blocks.map((block) => {
      const some = cells.filter((cell) => cell.block === block);
      return html`<span class="legend-block" key=${block}>${button(`Block ${block}`, some)}
        ${some.map((cell) => html`<button type="button" key=${cell.name} class="legend-line" aria-pressed=${!hidden.has(cell.name)} title="${cell.depth} layers, ${cell.width} channels" onClick=${() => set([cell], !hidden.has(cell.name))}>
          <${Swatch} line=${{ name: cell.name, points: [], colour: cell.colour, dash: cell.dash }} number=${0} /> ${cell.name}</button>`)}
      </span>`;
    })}
  </div>`;
}
