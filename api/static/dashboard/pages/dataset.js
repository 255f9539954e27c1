// One dataset: what the check found, its classes with their counts, and pictures of each.

import { useMay } from "../caller.js";
import { remove } from "../client.js";
import { bytes, exact } from "../format.js";
import { useOften, useResource, useTitle } from "../hooks.js";
import { Empty, Facts, Loading, Panel, ProblemNote, Progress, State, Time } from "../parts/basics.js";
import { Confirmed } from "../parts/dialog.js";
import { notify } from "../parts/notices.js";
import { go, href } from "../router.js";
import { follow } from "../stream.js";
import { html, useEffect } from "../view.js";
import { Classes } from "./dataset/classes.js";
import { Report } from "./dataset/report.js";

/** @param {{id: string}} props id, or name */
export default function Dataset({ id }) {
  const path = `datasets/${encodeURIComponent(id)}`;
  const { data: dataset, problem, loading, reload } = useResource(path);
  useTitle(dataset?.name ?? "Dataset");
  const checking = dataset?.state === "checking";
  const often = useOften(reload);
  useEffect(() => (checking ? follow(`${path}/events`, often, { over: () => void reload() }) : undefined), [path, checking]);
  if (loading) return html`<h1>Dataset</h1><${Loading} />`;
  if (problem?.status === 404) return html`<h1>Dataset</h1><${Empty}>There is no dataset ${id}: it was deleted, or it belongs to another project. What jobs have found on it stays. <a href="#/datasets">See the datasets.</a></${Empty}>`;
  if (!dataset) return html`<h1>Dataset</h1><${ProblemNote} of=${problem} retry=${reload} />`;
  return html`<${Head} of=${dataset} path=${path} />
    ${dataset.error && html`<div class="note note-bad" role="alert">${dataset.error.message}</div>`}
    ${checking && html`<${Checking} of=${dataset} />`}
    ${!checking && html`<${About} of=${dataset} /><${Report} path=${path} kind=${dataset.kind} />`}
    ${dataset.state === "ready" && html`<${Classes} path=${path} count=${dataset.num_classes} />`}`;
}

/** @param {{of: any, path: string}} props */
function Head({ of: dataset, path }) {
  const mayRun = useMay("run");
  const drop = async () => {
    await remove(path);
    notify(`${dataset.name} was deleted.`);
    go("#/datasets", { replace: true });
  };
  return html`<div class="head">
    <h1>${dataset.name}${dataset.version > 1 && html` <span class="faint">version ${dataset.version}</span>`}</h1>
    <${State} of=${dataset.state} />
    <div class="actions">
      ${mayRun && dataset.state === "ready" && html`<a class="button main" href=${href(["searches", "new"], { dataset: `${dataset.name}@${dataset.version}` })}>Search on it</a>`}
      ${mayRun && dataset.kind !== "builtin" && html`<${Confirmed} label="Delete" bad act=${drop} question="Delete ${dataset.name}, and its images if they were sent? What jobs have found on it stays." />`}
    </div>
  </div>`;
}

/** @param {{of: any}} props */
function Checking({ of: { name, progress, waiting_for: waits, queue_position: place } }) {
  return html`<${Panel} title="Check">
    <p>A worker opens every image; then the dataset can be searched on.</p>
    ${waits ? html`<p>It waits for ${waits}${place && ` (place ${place} of the queue)`}.</p>` : html`<${Progress} value=${progress ?? 0} label="Check of ${name}" />`}
  </${Panel}>`;
}

/** @param {{of: any}} props */
function About({ of: dataset }) {
  /** @type {[string, any][]} */
  const facts = [
    ["Classes", exact(dataset.num_classes)],
    ["To train with", exact(dataset.num_train)],
    ["To decide by", dataset.num_val ? exact(dataset.num_val) : "held out of those to train with"],
    ["To test with", exact(dataset.num_test)],
    ["Side, in pixels", exact(dataset.image_size)],
    ["Width over height", shape(dataset.aspect_ratios)],
    ["Mirrored in training", dataset.one_way ? "no: classes would change" : "yes, at random"],
    ["Size, as kept", bytes(dataset.bytes)],
    ["From", dataset.kind],
    ["Licence", dataset.licence ?? "not said"],
    ["Sent", html`<${Time} at=${dataset.created_at} />${dataset.created_by && ` by ${dataset.created_by}`}`],
    ["Fingerprint", html`<code>${dataset.fingerprint?.slice(0, 12) ?? "–"}</code>`],
  ];
  return html`<${Panel} title="About">
    <${Facts} items=${facts} />
    ${dataset.warnings.map((/** @type {string} */ warning) => html`<p class="note note-warn">${warning}</p>`)}
    ${dataset.left_out.length > 0 && html`<details><summary>What is not used (${dataset.left_out.length})</summary><ul>${dataset.left_out.map((/** @type {string} */ one) => html`<li>${one}</li>`)}</ul></details>`}
    ${dataset.state === "rejected" && html`<${Empty}>It was rejected. Change your images as is said above and send them again: that will be its next version.</${Empty}>`}
  </${Panel}>`;
}

/** A tenth of the pictures are narrower than the first ratio, a tenth wider than the last. @param {[number, number, number] | null} ratios */
function shape(ratios) {
  if (!ratios) return "–";
  const [narrow, middle, wide] = ratios.map((ratio) => ratio.toFixed(2));
  return narrow === wide ? `${middle}, all alike` : `${middle} in the middle; 80% are between ${narrow} and ${wide}`;
}
