// The network that was chosen: what it is made of, what it costs, what it is beside the winner, and what to do with it.

import { patch, saveAs } from "../../../client.js";
import { loss as lossText, percent } from "../../../format.js";
import { useMay } from "../../../caller.js";
import { Facts } from "../../../parts/basics.js";
import { Blocks, difference, opsOf } from "../../../parts/blocks.js";
import { Act } from "../../../parts/dialog.js";
import { Explained } from "../../../parts/explained.js";
import { go, href } from "../../../router.js";
import { html, useState } from "../../../view.js";
import { title } from "../../network/called.js";
import { COSTS } from "./limits.js";
import { select } from "./selecting.js";

/** @typedef {import("../../../parts/blocks.js").Block} Block */
/** @typedef {{loss: number, flops: number, params: number, latency_ns?: number | null, blocks: Block[], architecture: any, looked_at?: any}} Network `architecture` null until `select` has answered */

/** An answer of `select` as it is drawn. @param {any} answer @returns {Network} */
export const drawn = (answer) => ({ ...answer, blocks: answer.architecture.blocks });

/** Less than this is the same. */
const SAME = 0.0005;

/** +3.2%, of one value beside another. @param {number} value @param {number} other */
function beside(value, other) {
  const more = value / other - 1;
  return Math.abs(more) < SAME ? "as the winner" : `${more > 0 ? "+" : "−"}${percent(Math.abs(more))}`;
}

/**
 * @param {object} props
 * @param {Network} props.network
 * @param {any} props.winner with the costs of a network, and its `blocks`
 * @param {(name: string) => string} props.colour of ops
 */
export function About({ network, winner, colour }) {
  const versus = (/** @type {"loss" | "flops" | "params" | "latency_ns"} */ name) =>
    winner && network[name] && winner[name] ? html` <span class="faint">${beside(network[name] ?? 0, winner[name])}</span>` : null;
  const layers = winner?.blocks && difference(network.blocks, winner.blocks);
  /** @type {[string, any][]} */
  const facts = [
    ["Predicted loss", html`${lossText(network.loss)}${versus("loss")} <span class="faint">(less is better)</span>`],
    ["FLOPs", html`${COSTS.flops.format(network.flops)}${versus("flops")}`],
    ["Parameters", html`${COSTS.params.format(network.params)}${versus("params")}`],
  ];
  if (network.latency_ns) facts.push(["Latency", html`${COSTS.latency_ns.format(network.latency_ns)}${versus("latency_ns")}`]);
  if (winner?.blocks) facts.push(["Beside the winner", layers ? `${layers} ${layers === 1 ? "layer differs" : "layers differ"}` : "the same network"]);
  if (network.looked_at) facts.push(["As a finalist", `${percent(network.looked_at.accuracy)} of the rating images recognised, after a short training`]);
  return html`<${Facts} items=${facts} /><${Blocks} blocks=${network.blocks} colour=${colour} beside=${winner?.blocks ?? null} />
    <${Explained} title="What 6·3×3 and a dashed border mean" of=${winner?.blocks && layers ? ["cell", "dashed"] : ["cell"]} ops=${opsOf([network.blocks])} />`;
}

/**
 * @param {object} props
 * @param {any} props.search
 * @param {Network} props.network
 * @param {any} props.kept the network of the search that it is, where it is kept already
 * @param {import("./limits.js").Asked} props.asked
 * @param {number} props.rank from 1, among the best of what was asked
 * @param {boolean} props.ready whether it is the answer to what is asked now
 * @param {boolean} props.picked
 * @param {() => void} props.onPick
 */
export function Actions({ search, network, kept, asked, rank, ready, picked, onPick }) {
  const mayRun = useMay("run");
  const [name, setName] = useState("");
  const keep = async () => {
    if (kept && rank === 1) return kept.id;
    const { id } = (await select(search.id, { ...asked, k: rank }, { keep: true }))[rank - 1];
    if (name.trim()) await patch(`architectures/${id}`, { name: name.trim() });
    return id;
  };
  const verb = rank === 1 ? "Keep it" : `Keep the best ${rank}`;
  const save = () => saveAs(new Blob([JSON.stringify(network.architecture, null, 1)], { type: "application/json" }), `${search.name}, ${COSTS.flops.format(network.flops)} FLOPs.json`);
  return html`<div class="actions">
    ${kept && html`<span>Kept: <a href=${href(["networks", kept.id])}>${title(kept)}</a></span>`}
    ${mayRun && html`${!kept && html`<label class="inline">Name (optional) <input value=${name} maxlength="200"
        onInput=${(/** @type {any} */ event) => setName(event.target.value)} /></label>`}
      ${(!kept || rank > 1) && html`<${Act} verb=${verb} main=${true} disabled=${!ready}
        act=${async () => go(href(["networks", await keep()]))} />`}
      <${Act} verb="Train it" disabled=${!ready} act=${async () => go(href(["trainings", "new"], { architecture: await keep() }))} />`}
    <button type="button" disabled=${!network.architecture} onClick=${save}>Download JSON</button>
    <button type="button" aria-pressed=${picked} onClick=${onPick}>${picked ? "Picked ✓" : "Pick to compare"}</button>
  </div>
  ${!mayRun && html`<p class="faint">This key may look, not keep or train: that takes the scope “run”.</p>`}`;
}
