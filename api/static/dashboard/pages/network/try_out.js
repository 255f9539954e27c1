// A picture that is dropped, picked or pasted, and what the network takes it for.

import { useMay } from "../../caller.js";
import { Problem, send } from "../../client.js";
import { percent } from "../../format.js";
import { Empty, Panel, ProblemNote } from "../../parts/basics.js";
import { href } from "../../router.js";
import { html, useEffect, useRef, useState } from "../../view.js";

/** So many classes are shown. */
const SHOWN = 5;

/** @typedef {{url: string, name: string, shown: boolean, busy: boolean, classes: any[], problem: Problem | null}} Tried */

/** @param {{network: any, trainings: any[]}} props */
export function TryOut({ network, trainings }) {
  const own = network.files.some((/** @type {any} */ file) => file.format === "onnx");
  const alone = own ? null : trainings.find((training) => !training.search_id && training.state === "succeeded");
  if (!own && !alone) return html`<${Panel} title="Try it"><${Empty}>${why(network, trainings)}</${Empty}></${Panel}>`;
  return html`<${Answering} of="architectures/${network.id}">
    ${alone && html`<p class="faint">It answers as its newest training that has ended has left it:${" "}
      <a href=${href(["trainings", alone.id])}>${alone.name || alone.id}</a>.</p>`}
  </${Answering}>`;
}

/** The network as one training has left it. @param {{training: any}} props */
export function TryTraining({ training }) {
  if (training.refused.onnx) {
    return html`<${Panel} title="Try it"><${Empty}>It answers to no picture here, for it has no ONNX file:${" "}
      ${training.refused.onnx}</${Empty}></${Panel}>`;
  }
  if (!training.files.some((/** @type {any} */ file) => file.format === "onnx")) return null;
  return html`<${Answering} of="trainings/${training.id}" />`;
}

/** Why it answers to no picture, and what would change that. @param {any} network @param {any[]} trainings */
function why(network, trainings) {
  if (network.refused.onnx) return `It answers to no picture here, for it has no ONNX file: ${network.refused.onnx}`;
  if (network.role === "reference") return "A standard network is there to be compared with: it has no ONNX file to answer by.";
  const coming = trainings.find(({ state }) => state === "queued" || state === "running");
  if (coming) {
    return html`It answers to pictures when <a href=${href(["trainings", coming.id])}>its training</a>, which
      is ${coming.state}, has ended.`;
  }
  return html`It answers to pictures when it is trained. <a href=${href(["trainings", "new"], { architecture: network.id })}>Train it.</a>`;
}

/** @param {{of: string, children?: any}} props `of`: the path of what answers; `children` say what that is */
function Answering({ of, children }) {
  const mayRun = useMay("run");
  if (!mayRun) {
    return html`<${Panel} title="Try it"><${Empty}>This key may look, not try networks: that takes the scope
      “run”.</${Empty}></${Panel}>`;
  }
  return html`<${Pictures} of=${of}>${children}</${Pictures}>`;
}

/** @param {{of: string, children?: any}} props */
function Pictures({ of, children }) {
  const [tried, setTried] = useState(/** @type {Tried | null} */ (null));
  const [over, setOver] = useState(false);
  const attempt = useRef(0);
  const take = async (/** @type {File | null | undefined} */ file) => {
    if (!file) return;
    const number = (attempt.current += 1);
    const begun = { url: URL.createObjectURL(file), name: file.name, shown: true, busy: true, classes: [], problem: null };
    setTried((/** @type {Tried | null} */ before) => {
      if (before) URL.revokeObjectURL(before.url);
      return begun;
    });
    const came = await predict(of, file);
    if (number === attempt.current) setTried((/** @type {any} */ before) => ({ ...before, busy: false, ...came }));
  };
  useDrops(take, setOver);
  useEffect(() => () => void (attempt.current += 1), []);
  return html`<${Panel} title="Try it">
    <div class="try-drop ${over ? "try-drop-over" : ""}">
      <label class="button">Choose a picture<input type="file" accept="image/*" class="unseen" onChange=${(/** @type {any} */ event) => take(event.target.files[0])} /></label>
      <span class="faint">or drop one anywhere on this page, or paste it</span>
    </div>
    ${children}
    ${tried && html`<${Answer} tried=${tried} onBroken=${() => setTried({ ...tried, shown: false })} />`}
  </${Panel}>`;
}

/** @param {string} of @param {File} file @returns {Promise<{classes: any[], problem: Problem | null}>} */
async function predict(of, file) {
  try {
    const headers = { "Content-Type": "application/octet-stream" };
    const answer = await send("POST", `${of}/predict`, { query: { top_k: SHOWN }, body: file, headers });
    return { classes: (await answer.json()).classes, problem: null };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { classes: [], problem };
  }
}

/**
 * Files that are dropped anywhere on the page, or pasted.
 * @param {(file: File | null | undefined) => void} take @param {(over: boolean) => void} setOver while something is held over the page
 */
function useDrops(take, setOver) {
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const hold = (/** @type {DragEvent} */ event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (/** @type {DragEvent} */ event) => event.relatedTarget === null && setOver(false);
    const drop = (/** @type {DragEvent} */ event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(false);
      latest.current(event.dataTransfer.files[0]);
    };
    const paste = (/** @type {ClipboardEvent} */ event) => latest.current(event.clipboardData?.files[0]);
    const heard = /** @type {[string, any][]} */ ([["dragover", hold], ["dragleave", leave], ["drop", drop], ["paste", paste]]);
    heard.forEach(([name, hear]) => document.addEventListener(name, hear));
    return () => heard.forEach(([name, hear]) => document.removeEventListener(name, hear));
  }, []);
}

/** @param {{tried: Tried, onBroken: () => void}} props */
const Answer = ({ tried, onBroken }) => html`<div class="tried">
  ${tried.shown ? html`<img class="picture" src=${tried.url} alt=${tried.name} onError=${onBroken} />` : html`<p class="faint">This browser cannot show ${tried.name}.</p>`}
  <div aria-live="polite"><${ProblemNote} of=${tried.problem} />
    ${tried.busy && html`<p class="faint">Looking at it …</p>`}
    <ol class="answers">${tried.classes.map(({ number, name, probability }) => html`<li key=${number}><span>${name}</span><meter min="0" max="1" value=${probability} aria-label="Probability of ${name}"></meter><span class="number">${percent(probability)}</span></li>`)}</ol>
  </div>
</div>`;
