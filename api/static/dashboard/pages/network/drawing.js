// A network from the picture to the classes: a row for each layer, with what it costs as bars beside it.

import { count, exact } from "../../format.js";
import { useResource } from "../../hooks.js";
import { Empty, Loading, Panel, ProblemNote } from "../../parts/basics.js";
import { colouring } from "../../parts/blocks.js";
import { Explained } from "../../parts/explained.js";
import { useWidth } from "../../parts/plot.js";
import { Table } from "../../parts/table.js";
import { html, useMemo, useState } from "../../view.js";
import { isStandard } from "./actions.js";

/** @param {{network: any}} props */
export function Drawing({ network }) {
  const standard = isStandard(network);
  const { data, problem } = useResource(standard ? null : `architectures/${network.id}/layers`);
  if (standard) return html`<${Panel} title="Layers"><${Empty}>A standard network is built by timm from its name, ${network.name}: of its single layers nothing is known here, only what it costs whole.</${Empty}></${Panel}>`;
  return html`<${Panel} title="Layers"><${ProblemNote} of=${problem} />
    ${data ? html`<${Rows} layers=${data.items} whole=${data} /><${Numbers} layers=${data.items} />` : !problem && html`<${Loading} />`}</${Panel}>`;
}

const ROW = 26;
const HEAD = 24;
const STAGES = { stem: "Stem", head: "Head", block: "Block" };

/** Layers with headings between the stages and blocks, each with its place in the drawing. @param {any[]} layers */
function placed(layers) {
  let y = HEAD;
  let before = "";
  return layers.map((layer) => {
    const group = `${layer.stage} ${layer.block ?? ""}`;
    const begins = group !== before;
    if (begins) y += HEAD;
    before = group;
    const row = { layer, y, heading: begins ? heading(layer) : null };
    y += ROW;
    return row;
  });
}

/** @param {any} layer the first of its block */
const heading = ({ stage, block, cell, out_channels: width, output_size: size }) =>
  stage === "block" ? `Block ${block} · cell ${cell} · ${width} channels · ${size}×${size}` : STAGES[/** @type {"stem" | "head"} */ (stage)];

/** @param {{layers: any[], whole: {flops: number, params: number}}} props */
function Rows({ layers, whole }) {
  const [element, width] = useWidth();
  const [looked, setLooked] = useState(0);
  const rows = useMemo(() => placed(layers), [layers]);
  const colour = useMemo(() => colouring(layers.map(({ op }) => op)), [layers]);
  const most = { flops: Math.max(...layers.map(({ flops }) => flops)), params: Math.max(...layers.map(({ params }) => params)), width: Math.max(...layers.map(({ out_channels: out }) => out)) };
  const columns = columnsOf(width);
  const height = rows[rows.length - 1].y + ROW + 6;
  const press = (/** @type {KeyboardEvent} */ event) => {
    const to = { ArrowDown: looked + 1, ArrowUp: looked - 1, Home: 0, End: layers.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setLooked(Math.min(Math.max(to, 0), layers.length - 1));
  };
  return html`<div ref=${element} class="network-drawing">
    <p class="faint">A row is a layer; the arrow keys go from one to the next. ↓2 halves the map; a bow stands for what is added to what the layer computes.</p>
    ${width > 0 && html`<svg width=${width} height=${height} tabindex="0" role="img" aria-label="${layers.length} layers, ${count(whole.flops)} FLOPs, ${count(whole.params)} parameters. ${inWords(layers[looked])}" onKeyDown=${press}>
      <g class="heads" aria-hidden="true"><text x=${columns.flops} y="14">FLOPs</text><text x=${columns.params} y="14">Parameters</text></g>
      ${rows.map(({ layer, y, heading }, number) => html`<${Row} key=${layer.number} layer=${layer} y=${y} heading=${heading} columns=${columns} most=${most} colour=${colour} looked=${number === looked} look=${() => setLooked(number)} />`)}
    </svg>`}
    <p class="looked" aria-live="polite">${inWords(layers[looked])}</p>
    <${Explained} title="What the names of the ops and cells mean" of=${["cell"]} ops=${layers.map(({ op }) => op)} />
  </div>`;
}

/** Where what stands; on narrow screens the bars have less room. @param {number} width */
function columnsOf(width) {
  const boxes = Math.min(Math.max(width * 0.42, 136), 460);
  const bar = (width - boxes - 16) / 2;
  return { boxes, flops: boxes + 16, params: boxes + 16 + bar, bar: bar - 54, wide: width > 620 };
}

/**
 * @param {{layer: any, y: number, heading: string | null, columns: ReturnType<typeof columnsOf>, most: {flops: number, params: number, width: number},
 *   colour: (name: string) => string, looked: boolean, look: () => void}} props
 */
function Row({ layer, y, heading, columns, most, colour, looked, look }) {
  const room = columns.boxes - 22 - (columns.wide ? 130 : 0);
  const wide = Math.max(room * Math.sqrt(layer.out_channels / most.width), Math.min(room, 36 + 7.5 * Math.min(layer.op.length + (layer.stride > 1 ? 3 : 0), 17)));
  return html`<g>
    ${heading && html`<text class="heading" x="0" y=${y - 7}>${heading}</text>`}
    <g class="row ${colour(layer.op)} ${looked ? "row-looked" : ""}" onPointerEnter=${look} onClick=${look}>
      <rect class="behind" x="0" y=${y} width="100%" height=${ROW} />
      ${layer.skip && html`<path class="skip-way" d="M20,${y + 3}C4,${y + 3} 4,${y + ROW - 3} 20,${y + ROW - 3}" />`}
      <rect class="box" x="22" y=${y + 2} width=${wide} height=${ROW - 4} rx="4" />
      <text x="30" y=${y + 17}>${layer.op.slice(0, 14)}${layer.stride > 1 ? " ↓2" : ""}</text>
      ${columns.wide && html`<text class="faint-text" x=${columns.boxes - 6} y=${y + 17} text-anchor="end">${layer.in_channels}→${layer.out_channels} · ${layer.output_size}×${layer.output_size}</text>`}
      <${Bar} x=${columns.flops} y=${y} length=${(columns.bar * layer.flops) / most.flops} text=${count(layer.flops)} className="bar-flops" />
      <${Bar} x=${columns.params} y=${y} length=${(columns.bar * layer.params) / most.params} text=${count(layer.params)} className="bar-params" />
    </g>
  </g>`;
}

/** @param {{x: number, y: number, length: number, text: string, className: string}} props */
const Bar = ({ x, y, length, text, className }) => html`<rect class=${className} x=${x} y=${y + 6} width=${Math.max(length, 0)} height=${ROW - 12} rx="2" /><text x=${x + Math.max(length, 0) + 5} y=${y + 17}>${text}</text>`;

/** @param {any} layer */
export function inWords(layer) {
  const where = layer.stage === "block" ? `Block ${layer.block}, layer ${layer.layer}` : STAGES[/** @type {"stem" | "head"} */ (layer.stage)];
  const map = `${layer.in_channels} channels of ${layer.input_size}×${layer.input_size} to ${layer.out_channels} of ${layer.output_size}×${layer.output_size}`;
  const skip = layer.kind === "skip" ? "; passes on what arrives" : layer.skip ? "; what arrives is added" : "";
  return `${where}, ${layer.op}: ${layer.description || "nothing"}. ${map}${skip}. ${exact(layer.flops)} FLOPs, ${exact(layer.params)} parameters.`;
}

const COLUMNS = [
  { id: "where", label: "Where", cell: (/** @type {any} */ row) => (row.stage === "block" ? `block ${row.block}, layer ${row.layer}` : row.stage) },
  { id: "op", label: "Op", cell: (/** @type {any} */ row) => row.op },
  { id: "what", label: "Made of", cell: (/** @type {any} */ row) => row.description },
  { id: "channels", label: "Channels", number: true, cell: (/** @type {any} */ row) => `${row.in_channels} → ${row.out_channels}` },
  { id: "size", label: "Side", number: true, cell: (/** @type {any} */ row) => `${row.input_size} → ${row.output_size}` },
  { id: "stride", label: "Stride", number: true, cell: (/** @type {any} */ row) => row.stride },
  { id: "skip", label: "Added", cell: (/** @type {any} */ row) => (row.skip ? "yes" : "no") },
  { id: "flops", label: "FLOPs", number: true, cell: (/** @type {any} */ row) => exact(row.flops) },
  { id: "params", label: "Parameters", number: true, cell: (/** @type {any} */ row) => exact(row.params) },
];

/** @param {{layers: any[]}} props */
const Numbers = ({ layers }) => html`<details><summary>As a table</summary><${Table} caption="Layers" columns=${COLUMNS} rows=${layers.map((layer) => ({ ...layer, id: layer.number }))} /></details>`;
