// The files of a network: sizes, what was measured of them, downloads with their progress, and what was refused and why.

import { fileName, saveAs, send } from "../../client.js";
import { bytes, loss as lossText, percent } from "../../format.js";
import { Empty, Panel, ProblemNote } from "../../parts/basics.js";
import { Table } from "../../parts/table.js";
import { href } from "../../router.js";
import { html, useEffect, useRef, useState } from "../../view.js";
import { Which } from "./trainings.js";

const WHAT = {
  json: "the description: builds it with timm, and says how pictures are prepared",
  safetensors: "the weights",
  onnx: "the network with its weights, for onnxruntime and others",
  "onnx-int8": "the same in 8 bits: a third of the size",
  triton: "a model repository of the Triton inference server",
  bundle: "all of these with prepare.py and a model card, as a zip",
};

/**
 * Where files come from: the network's own where its search has trained it, else those of the training that shows.
 * @param {any} network @param {any} training
 */
export function source(network, training) {
  const own = network.files.length > 1 || !training || training.search_id;
  const of = own ? network : training;
  return { path: own ? `architectures/${network.id}/download` : `trainings/${training.id}/download`, files: of.files ?? network.files, refused: of.refused ?? {}, own };
}

/** @param {any} training */
const left = ({ id, files, refused }) => ({ path: `trainings/${id}/download`, files, refused, own: false });

/**
 * @param {object} props
 * @param {any} props.network
 * @param {any} props.training
 * @param {any[]} props.trainings
 * @param {boolean} [props.alone] on the page of the training: the files that it has left, whatever there is besides
 */
export function Files({ network, training, trainings, alone = false }) {
  const { path, files, refused, own } = alone ? left(training) : source(network, training);
  const columns = [
    { id: "format", label: "File", cell: (/** @type {any} */ file) => html`<span><strong>${file.format}</strong> <span class="faint">${WHAT[/** @type {keyof typeof WHAT} */ (file.format)]}</span></span>` },
    { id: "size", label: "Size", number: true, cell: (/** @type {any} */ file) => bytes(file.size) },
    { id: "accuracy", label: "Accuracy", number: true, cell: (/** @type {any} */ file) => percent(file.accuracy) },
    { id: "difference", label: "Differs from PyTorch", number: true, cell: (/** @type {any} */ file) => html`<${Difference} file=${file} />` },
    { id: "latency", label: "Takes for a picture", number: true, cell: (/** @type {any} */ file) => html`<${Took} latency=${file.latency} />` },
    { id: "download", label: "Download", cell: (/** @type {any} */ file) => html`<${Download} path=${path} file=${file} />` },
  ];
  return html`<${Panel} title="Files" actions=${html`<${Which} training=${training} trainings=${trainings} />`}>
    ${!own && !alone && html`<p class="faint">Of the training <a href=${href(["trainings", training.id])}>${training.name || training.id}</a>.</p>`}
    <${Table} caption="Files" columns=${columns} rows=${files.map((/** @type {any} */ file) => ({ ...file, id: file.format }))} />
    <${Checked} files=${files} />
    ${Object.entries(refused).map(([format, why]) => html`<p key=${format} class="note note-warn">There is no ${format}: ${why}</p>`)}
    ${files.length === 1 && html`<${Empty}>
      <${Lacking} network=${network} training=${training} trainings=${trainings} /></${Empty}>`}
  </${Panel}>`;
}

/**
 * Why there are no weights, and what brings them: a training that is under way, or a new one.
 * @param {{network: any, training: any, trainings: any[]}} props
 */
function Lacking({ network, training, trainings }) {
  if (network.role === "reference") {
    return "A standard network is trained to be compared with: it has no other files.";
  }
  const coming = trainings.find(({ state }) => state === "queued" || state === "running");
  if (coming) {
    return html`The weights and the other files come at the end of${" "}
      <a href=${href(["trainings", coming.id])}>${coming.name || "the training"}</a>, which is ${coming.state}.`;
  }
  if (training?.state === "failed" || training?.state === "cancelled") {
    const ended = training.state === "failed" ? "has failed" : "was cancelled";
    return `The training ${ended} before it left weights. Resumed, it goes on where it was.`;
  }
  const anew = href(["trainings", "new"], { architecture: network.id });
  return html`It has weights when it is trained. <a href=${anew}>Train it.</a>`;
}

/** What the figures are of: what was measured of the files when they were made. @param {{files: any[]}} props */
function Checked({ files }) {
  const compared = files.some(({ largest_difference: difference }) => difference !== null && difference !== undefined);
  const timed = files.find(({ latency }) => latency)?.latency;
  if (!compared && !timed) return null;
  return html`<p class="faint">${compared && `When the files were made, each was run on the same test pictures, 1,024 at most, as the trained network in PyTorch. Compared were the logits, the scores
    of the classes before softmax, which have no unit: by how much the one that differs most does, and how many pictures got the same answer.`}
    ${timed && ` The time is the median for one picture after the other, by onnxruntime on one thread of ${timed.device ?? "a CPU"}; 95% took no longer than the second figure.`}</p>`;
}

/** @param {{file: any}} props */
function Difference({ file }) {
  if (file.largest_difference === null || file.largest_difference === undefined) return html`<span class="faint">–</span>`;
  const by = file.largest_difference === 0 ? "by nothing" : `by ${lossText(file.largest_difference)}`;
  return html`<span class="lines">${by}${file.same_answers !== null && html` <span class="faint">${percent(file.same_answers)} same answers</span>`}</span>`;
}

/** @param {{latency: any}} props */
function Took({ latency }) {
  if (!latency) return html`<span class="faint">–</span>`;
  return html`<span class="lines">${latency.median_ms.toPrecision(3)} ms <span class="faint">95%: ${latency.p95_ms.toPrecision(3)}</span></span>`;
}

/** @param {{path: string, file: any}} props */
function Download({ path, file }) {
  const [state, setState] = useState({ done: -1, said: "", problem: /** @type {any} */ (null) });
  const going = useRef(/** @type {AbortController | null} */ (null));
  useEffect(() => () => going.current?.abort(), []);
  const start = async () => {
    going.current = new AbortController();
    setState({ done: 0, said: "", problem: null });
    try {
      const { content, name } = await read(path, file, going.current.signal, (done) => setState({ done, said: "", problem: null }));
      const right = await checked(content, file.sha256);
      if (right !== false) saveAs(content, name);
      setState({ done: -1, said: { true: "Saved; checksum right", false: "What came is damaged; try again", null: "Saved" }[String(right)] ?? "", problem: null });
    } catch (problem) {
      if (!going.current.signal.aborted) setState({ done: -1, said: "", problem });
      else setState({ done: -1, said: "", problem: null });
    }
  };
  const busy = state.done >= 0;
  return html`<span class="download">
    ${busy
      ? html`<progress max=${file.size} value=${state.done} aria-label="Download of ${file.format}"></progress> ${bytes(state.done)} <button type="button" onClick=${() => going.current?.abort()}>Stop</button>`
      : html`<button type="button" aria-label="Download ${file.format}" title="SHA-256 ${file.sha256}" onClick=${start}>Download</button>`}
    <span role="status" class="faint">${state.said}</span><${ProblemNote} of=${state.problem} />
  </span>`;
}

/**
 * @param {string} path @param {any} file @param {AbortSignal} signal @param {(done: number) => void} tell
 * @returns {Promise<{content: Blob, name: string}>}
 */
async function read(path, file, signal, tell) {
  const answer = await send("GET", path, { query: { format: file.format }, signal });
  const name = fileName(answer) ?? `network.${file.format}`;
  const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
  const parts = [];
  let done = 0;
  let told = 0;
  for (;;) {
    const { done: over, value } = await reader.read();
    if (over) break;
    parts.push(value);
    done += value.length;
    if (performance.now() - told > 100) {
      told = performance.now();
      tell(done);
    }
  }
  return { content: new Blob(/** @type {any} */ (parts), { type: answer.headers.get("Content-Type") ?? "" }), name };
}

/** Whether these are the bytes that were announced; null where the browser computes no checksum, as on pages without TLS. @param {Blob} content @param {string} sha256 */
async function checked(content, sha256) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await content.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") === sha256;
}
