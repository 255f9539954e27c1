// What to do with what a search found: its files, its page, another training, a server.

import { save } from "../../client.js";
import { bytes } from "../../format.js";
import { useResource } from "../../hooks.js";
import { Act } from "../../parts/dialog.js";
import { Code } from "../../parts/copy.js";
import { Empty } from "../../parts/basics.js";
import { href, usePlace } from "../../router.js";
import { html } from "../../view.js";
import { meanwhile, winnerOf } from "./networks.js";

/** @type {Record<string, string>} */
const FORMATS = { onnx: "ONNX", "onnx-int8": "ONNX, 8 bits", safetensors: "Weights", bundle: "Everything", triton: "Triton", json: "Description" };

/** @param {{search: any}} props */
export function Next({ search }) {
  const { path } = usePlace();
  const winner = winnerOf(search);
  if (!winner && search.state === "cancelled") return html`<${Empty}>It was cancelled before it had a winner. Resume it, and it goes on where it was; or clone it to ask for something else.</${Empty}>`;
  if (!winner && search.state === "failed") return html`<${Empty}>It failed before it had a winner: what to do about it stands at the top.</${Empty}>`;
  if (!winner) return html`<${Empty}>When the winner is selected, what can be done with it stands here.</${Empty}>`;
  return html`<ul class="next">
      <li><a href=${href(["networks", winner.id])}>Look into the winner</a>: layer by layer, and try it on a picture</li>
      <li><a href=${href(path, { tab: "frontier" })}>Open the frontier</a>: the best network under another budget, at once</li>
      <li><a href=${href(["trainings", "new"], { architecture: winner.id })}>Train it again</a>: longer, by another recipe, on other images</li>
      <li><a href=${href(["trainings"], { search: search.id })}>Its trainings</a></li>
    </ul>
    <${Files} key=${search.finished_at} winner=${winner} search=${search} />
    ${search.state === "succeeded" && html`<${Code} label="Serve it over HTTP" text="dna serve ${winner.id}" />`}`;
}

/** @param {{winner: any, search: any}} props */
function Files({ winner, search }) {
  const { data } = useResource(`architectures/${winner.id}`);
  const files = (data?.files ?? []).filter((/** @type {any} */ file) => FORMATS[file.format]);
  if (!data) return null;
  if (!files.length) return html`<p class="faint">Its files can be downloaded when it is exported. ${meanwhile(search)}</p>`;
  return html`<h3>Download the winner</h3>${!files.some((/** @type {any} */ file) => file.format === "onnx") && meanwhile(search) && html`<p class="faint">ONNX and the others come when it is exported. ${meanwhile(search)}</p>`}<div class="actions downloads">${files
    .toSorted((/** @type {any} */ one, /** @type {any} */ other) => order(one) - order(other))
    .map((/** @type {any} */ file) => html`<${Act} key=${file.format} verb="${FORMATS[file.format]} (${bytes(file.size)})" main=${file.format === "onnx"} act=${() => save(`architectures/${winner.id}/download`, { format: file.format })} />`)}</div>`;
}

/** @param {{format: string}} file */
const order = (file) => Object.keys(FORMATS).indexOf(file.format);
