// Sending images: dropped, chosen, or named where they lie.

import { bytes, duration, exact } from "../../format.js";
import { useResource } from "../../hooks.js";
import { useChanges } from "../../live.js";
import { Panel, ProblemNote, Progress } from "../../parts/basics.js";
import { Act } from "../../parts/dialog.js";
import { href } from "../../router.js";
import { send } from "../../client.js";
import { useSignal } from "../../signal.js";
import { NAME, NotImages, ofDrop, ofFiles } from "../../upload/chosen.js";
import { begin, forget, isUnderWay, sendings } from "../../upload/uploads.js";
import { html, useState } from "../../view.js";

/** @typedef {import("../../upload/chosen.js").Chosen} Chosen */
/** @typedef {import("../../upload/uploads.js").Draft} Draft */

/** @param {{sent: () => void}} props `sent` is called when the service has a new dataset */
export function Send({ sent }) {
  const [draft, setDraft] = useState(/** @type {Draft | null} */ (null));
  const [wrong, setWrong] = useState("");
  const take = async (/** @type {() => Chosen | Promise<Chosen>} */ choose) => {
    setWrong("");
    try {
      setDraft({ chosen: await choose(), said: {}, uploaded: null });
    } catch (error) {
      if (!(error instanceof NotImages)) throw error;
      setWrong(error.message);
    }
  };
  return html`<${Panel} title="Send images">
    ${draft
      ? html`<${Options} key=${draft.chosen.filename} draft=${draft} done=${() => setDraft(null)} sent=${sent} />`
      : html`<${Drop} take=${take} />`}
    ${wrong && html`<div class="note note-bad" role="alert">${wrong}</div>`}
    <${Sendings} again=${setDraft} />
    <${Named} sent=${sent} />
  </${Panel}>`;
}

/** @param {{take: (choose: () => Chosen | Promise<Chosen>) => void}} props */
function Drop({ take }) {
  const [over, setOver] = useState(false);
  const hover = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setOver(true);
  };
  const drop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setOver(false);
    const dropped = event.dataTransfer;
    if (dropped) take(() => ofDrop(dropped));
  };
  const choose = (/** @type {any} */ event) => {
    const files = [...event.target.files];
    event.target.value = "";
    if (files.length) take(() => ofFiles(files));
  };
  return html`<div class="drop ${over ? "drop-over" : ""}" onDragOver=${hover} onDragLeave=${() => setOver(false)} onDrop=${drop}>
    <p>Drop a folder here that holds a folder of images for each class, or a zip or tar of it. Folders <code>train</code>, <code>val</code> and <code>test</code> around them are understood.</p>
    <div class="actions">
      <label class="button main">Choose a folder<input class="unseen" type="file" webkitdirectory multiple onChange=${choose} /></label>
      <label class="button">Choose an archive<input class="unseen" type="file" accept=".zip,.tar,.tgz,.gz,.bz2,.xz" onChange=${choose} /></label>
    </div>
  </div>`;
}

/** What is to be said of the images before they are sent. @param {{draft: Draft, done: () => void, sent: () => void}} props */
function Options({ draft, done, sent }) {
  const { chosen } = draft;
  const [said, setSaid] = useState(/** @type {Record<string, string>} */ ({ name: chosen.name, layout: "auto", ...draft.said }));
  const write = (/** @type {any} */ event) => setSaid({ ...said, [event.target.name]: event.target.value });
  const submit = (/** @type {any} */ event) => {
    event.preventDefault();
    done();
    begin({ ...draft, said }).then(sent);
  };
  return html`<form onSubmit=${submit}>
    <p>${chosen.folders.length ? html`A folder with ${exact(chosen.files)} files` : chosen.filename}, ${bytes(chosen.content.size)}</p>
    ${chosen.folders.length > 0 && html`<${Found} folders=${chosen.folders} />`}
    <div class="filters">
      <label>Name of the dataset <input name="name" required maxlength="100" pattern=${NAME} title="Up to 100 letters, digits, dots, dashes and underscores; no spaces" value=${said.name} onInput=${write} /></label>
      <label>Licence (optional) <input name="licence" maxlength="1000" placeholder="CC BY 4.0" value=${said.licence ?? ""} onInput=${write} /></label>
      <label>Folders <select name="layout" value=${said.layout} onChange=${write}><option value="auto">train, val and test are told by their names</option><option value="classes">every folder at the top is a class</option></select></label>
    </div>
    ${!chosen.folders.length && html`<details><summary>More</summary>
      <label>Encoding of the names in an archive <input name="encoding" maxlength="100" placeholder="found out by itself" value=${said.encoding ?? ""} onInput=${write} /></label>
      <p class="faint">Only for old zip files whose names look wrong: such as cp932 (Japanese) or gb18030 (Chinese).</p>
    </details>`}
    <div class="actions"><button class="main">Send</button><button type="button" onClick=${done}>Choose another</button></div>
  </form>`;
}

/** The folders at the top, which are the classes unless they are called train, val or test. @param {{folders: [string, number][]}} props */
function Found({ folders }) {
  const shown = folders.slice(0, FOLDERS);
  const alone = folders.length === 1 && html`<p class="note note-warn">There is one folder at the top. Where it is a class, there must be another one: a network learns to tell classes apart.</p>`;
  return html`${alone}<p class="faint">${shown.map(([name, files]) => `${name} (${exact(files)})`).join(", ")}${folders.length > shown.length && ` and ${folders.length - shown.length} more`}</p>`;
}

/** So many are named. */
const FOLDERS = 12;

/** What is under way. @param {{again: (draft: Draft) => void}} props */
function Sendings({ again }) {
  return html`<div aria-live="polite">${useSignal(sendings).map((one) => html`<${One} key=${one.id} of=${one} again=${again} />`)}</div>`;
}

/** @param {{of: import("../../upload/uploads.js").Sending, again: (draft: Draft) => void}} props */
function One({ of: one, again }) {
  const retry = () => {
    forget(one.id);
    again(one.draft);
  };
  const seconds = (Date.now() - one.begun) / 1000;
  const left = one.sent ? ((one.size - one.sent) / one.sent) * seconds : null;
  if (one.dataset) return html`<${Sent} of=${one} />`;
  if (one.problem) {
    return html`<div><p>${one.name} was not sent.</p><${ProblemNote} of=${one.problem} /><div class="actions"><button type="button" class="main" onClick=${retry}>Change and send again</button><button type="button" onClick=${() => forget(one.id)}>Dismiss</button></div></div>`;
  }
  return html`<p>${one.name} <${Progress} value=${one.size ? one.sent / one.size : 0} over=${one.sent === one.size} label="Sending ${one.name}" />
    <span class="faint"> ${bytes(one.sent)} of ${bytes(one.size)}${left !== null && `, ${duration(left)} left`}</span>
    ${isUnderWay(one) && html` <button type="button" onClick=${one.stop}>Stop</button>`}</p>`;
}

/** @type {Record<string, string>} What becomes of one that was sent. */
const BECAME = { checking: "a worker checks it", ready: "it can be searched on", rejected: "it cannot be used as it is" };

/** @param {any} dataset */
const ref = ({ name, version }) => (version > 1 ? `${name}@${version}` : name);

/** What has become of one that was sent. @param {{of: import("../../upload/uploads.js").Sending}} props */
function Sent({ of: { id, name, dataset } }) {
  const { data, reload } = useResource(`datasets/${dataset.id}`);
  useChanges(["dataset"], reload);
  const { state, error } = data ?? dataset;
  const why = state === "rejected" && error ? html` (${error.message})` : "";
  return html`<p class="note ${state === "rejected" ? "note-bad" : ""}">${name} was sent; ${BECAME[state]}${why}: <a href=${href(["datasets", dataset.id])}>see it</a>${state === "ready" && html`, <a href=${href(["searches", "new"], { dataset: ref(data ?? dataset) })}>search on it</a>`}
    <button type="button" class="plain" aria-label="Dismiss" onClick=${() => forget(id)}>✕</button></p>`;
}

/** Images that lie where the service can read them. @param {{sent: () => void}} props */
function Named({ sent }) {
  const [said, setSaid] = useState({ where: "", name: "" });
  const act = async () => {
    const body = new FormData();
    body.set(said.where.startsWith("/") ? "folder" : "url", said.where);
    if (said.name) body.set("name", said.name);
    await send("POST", "datasets", { body });
    setSaid({ where: "", name: "" });
    sent();
  };
  const write = (/** @type {string} */ field) => (/** @type {any} */ event) => setSaid({ ...said, [field]: event.target.value });
  return html`<details><summary>Images that lie elsewhere: a folder of the server, shards at a URL, a name of timm's</summary>
    <div class="filters">
      <label>Where <input size="40" value=${said.where} onInput=${write("where")} placeholder="/data/birds, s3://bucket/birds/ or torch/cifar10" /></label>
      <label>Name <input value=${said.name} maxlength="100" onInput=${write("name")} placeholder="its last part" /></label>
      <${Act} verb="Use it" act=${act} disabled=${!said.where} />
    </div>
    <p class="faint">An operator allows which folders and URLs may be named.</p>
  </details>`;
}
