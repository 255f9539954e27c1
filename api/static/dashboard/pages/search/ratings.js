// The ratings of a search: of each cell its candidates from the best to the worst, to be walked along.

import { useResource } from "../../hooks.js";
import { Empty, Loading, Panel, ProblemNote } from "../../parts/basics.js";
import { Explained } from "../../parts/explained.js";
import { html, useState } from "../../view.js";
import { meanwhile } from "./networks.js";
import { colours, Key } from "./ops.js";
import { Strip } from "./strip.js";

/** Candidates of a cell: as many as a strip has room for. */
const POINTS = 200;

/** @param {{search: any}} props */
export function Ratings({ search }) {
  const rated = search.best !== null;
  const { data, problem, reload } = useResource(rated ? `searches/${search.id}/ratings/strips` : null, { points: POINTS });
  const [layer, setLayer] = useState(0);
  if (!rated) return html`<${Empty}>Ratings appear when every path of every cell is rated, which is done when distillation is. ${meanwhile(search)}</${Empty}>`;
  if (problem) return html`<${ProblemNote} of=${problem} retry=${reload} />`;
  if (!data) return html`<${Loading} what="Reading the ratings" />`;
  const ops = [...new Set(data.cells.flatMap((/** @type {any} */ cell) => cell.items.flatMap((/** @type {any} */ item) => item.ops)))].sort();
  const deepest = Math.max(...data.cells.map((/** @type {any} */ cell) => cell.items[0].ops.length));
  const blocks = [...new Set(data.cells.map((/** @type {any} */ cell) => cell.block))];
  return html`<div class="filters">
      <label>Coloured by the op of <select value=${layer} onChange=${(/** @type {any} */ event) => setLayer(Number(event.target.value))}>
        ${Array.from({ length: deepest }, (_, number) => html`<option key=${number} value=${number}>layer ${number + 1}</option>`)}
      </select></label>
      <${Key} ops=${ops} />
    </div>
    <${Explained} title="What b1c2 and the names of the ops mean" of=${["cell"]} ops=${ops} />
    ${blocks.map((block) => html`<${Panel} key=${block} title="Block ${block}">
      ${data.cells.filter((/** @type {any} */ cell) => cell.block === block).map((/** @type {any} */ cell) => html`<${Strip} key=${cell.cell} strip=${cell} layer=${layer} colours=${colours(ops)} scale=${scaleOf(data.cells, block)} />`)}
    </${Panel}>`)}`;
}

/** From the best to the worst loss of the cells of a block: on one axis they can be compared. @param {any[]} cells @param {number} block @returns {[number, number]} */
function scaleOf(cells, block) {
  const some = cells.filter((cell) => cell.block === block);
  return [Math.min(...some.map((cell) => cell.min)), Math.max(...some.map((cell) => cell.max))];
}
