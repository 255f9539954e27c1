// A network as a small drawing: a column for each block, a box for each layer, by what was chosen there.

import { html } from "../view.js";

/** @typedef {{cell?: number, width?: number | null, stride?: number, ops: (string | {name: string, kind?: string, skip?: boolean})[]}} Block */

/** The name of an op, as a description has it. @param {Block["ops"][number]} op */
export const opName = (op) => (typeof op === "string" ? op : op.name);

/** `mb6_5x5` as `6 5×5`: what there is room for. @param {string} name */
const short = (name) => name.replace(/^mb(\d+)_(\d+)x(\d+)/, "$1·$2×$3").replace(/_(\d+)x(\d+)/, " $1×$2").slice(0, 9);

const COLOURS = 8;

/**
 * Colours of ops: equal names have equal ones, in the order of their names.
 * @param {string[]} names all that are drawn beside each other
 * @returns {(name: string) => string} a class
 */
export function colouring(names) {
  const order = [...new Set(names)].sort();
  return (name) => `op-${(order.indexOf(name) % COLOURS) + 1}`;
}

/** All ops of some networks. @param {Block[][]} networks */
export const opsOf = (networks) => networks.flatMap((blocks) => blocks.flatMap(({ ops }) => ops.map(opName)));

const CELL = { width: 80, height: 22, gap: 6, head: 30 };

/**
 * @param {object} props
 * @param {Block[]} props.blocks
 * @param {(name: string) => string} props.colour
 * @param {Block[] | null} [props.beside] what differs from these blocks is marked
 */
export function Blocks({ blocks, colour, beside = null }) {
  const deepest = Math.max(...blocks.map(({ ops }) => ops.length), 1);
  const width = blocks.length * (CELL.width + CELL.gap) - CELL.gap;
  const height = CELL.head + deepest * (CELL.height + 3);
  return html`<div class="scroll blocks" tabindex="0" role="region" aria-label="Ops block by block">
    <svg width=${width} height=${height} viewBox="0 0 ${width} ${height}" role="img" aria-label=${inWords(blocks)}>
      ${blocks.map((block, number) => html`<g key=${number} transform="translate(${number * (CELL.width + CELL.gap)} 0)">
        <text x="0" y="11" class="strong">block ${number + 1}</text><text x="0" y="24">${about(block)}</text>
        ${block.ops.map((op, layer) => html`<${Layer} key=${layer} name=${opName(op)} y=${CELL.head + layer * (CELL.height + 3)} colour=${colour}
          differs=${beside !== null && differs(block, beside[number], layer)} />`)}
      </g>`)}
    </svg>
  </div>`;
}

/** @param {{name: string, y: number, colour: (name: string) => string, differs: boolean}} props */
function Layer({ name, y, colour, differs }) {
  return html`<g class="layer ${colour(name)} ${differs ? "differs" : ""}">
    <title>${name}${differs ? ", another than in the winner" : ""}</title>
    <rect x="1" y=${y} width=${CELL.width - 2} height=${CELL.height} rx="4" /><text x=${CELL.width / 2} y=${y + 15} text-anchor="middle">${short(name)}</text>
  </g>`;
}

/** @param {Block} block */
const about = (block) => [block.width && `${block.width} ch`, block.cell && `cell ${block.cell}`].filter(Boolean).join(" · ").slice(0, 16);

/** @param {Block} block @param {Block | undefined} other @param {number} layer */
export const differs = (block, other, layer) => !other || other.ops[layer] === undefined || opName(other.ops[layer]) !== opName(block.ops[layer]);

/** How many layers are others than those of another network, or have none beside them there. @param {Block[]} blocks @param {Block[]} others */
export const difference = (blocks, others) =>
  blocks.reduce((sum, block, number) => {
    const longest = Math.max(block.ops.length, others[number]?.ops.length ?? 0);
    return sum + Array.from({ length: longest }, (_, layer) => layer).filter((layer) => layer >= block.ops.length || differs(block, others[number], layer)).length;
  }, 0);

/** @param {Block[]} blocks */
const inWords = (blocks) =>
  blocks.map((block, number) => `Block ${number + 1}${block.cell ? `, cell ${block.cell}` : ""}: ${block.ops.map(opName).join(", ")}`).join(". ");
