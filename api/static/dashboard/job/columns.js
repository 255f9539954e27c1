// What lists of jobs of every kind say of each: where it stands, and what it is called.

import { duration, interval, percent } from "../format.js";
import { Age, Labels, Progress, State } from "../parts/basics.js";
import { Whose } from "../parts/whose.js";
import { href } from "../router.js";
import { html } from "../view.js";
import { addLabel, ofPriority, ofProject } from "./filters.js";
import { FINISHED } from "./kinds.js";
import { PriorityMark } from "./priority.js";

/** @typedef {import("../parts/table.js").Column} Column */

/** As much of an error as the list shows; the page of the job has all of it. Letters. */
const SHORT = 140;

/** The state, and what there is to say of it: the phase, what it waits for, why it failed. @param {{of: any, page: string}} props */
export function Standing({ of: job, page }) {
  return html`<div class="standing"><${State} of=${job.state} cancelling=${job.cancel_requested} /> <${Why} of=${job} page=${page} /></div>`;
}

/** @param {{of: any, page: string}} props */
function Why({ of: job, page }) {
  if (job.state === "failed") {
    return html`<a class="why" href=${href([page, job.id])}>${shortened(job.error?.message ?? "It failed.")}</a>`;
  }
  const waits = job.waiting_for && `waits for ${job.waiting_for}`;
  if (job.state === "queued") {
    const place = job.queue_position ? `number ${job.queue_position} in the queue` : "";
    return html`<span class="why faint">${[place, waits].filter(Boolean).join("; ")}</span>`;
  }
  return job.state === "running" && html`<span class="why faint">${waits ? `${job.phase}: ${waits}` : job.phase}</span>`;
}

/** @param {string} text */
const shortened = (text) => (text.length > SHORT ? `${text.slice(0, SHORT).trimEnd()}…` : text);

/** @param {{of: any, page: string}} props */
export const Named = ({ of: job, page }) =>
  html`<div class="named"><a href=${href([page, job.id])} title=${job.name}>${job.name || job.id}</a> <${PriorityMark} of=${job.priority} pick=${ofPriority} /><${Labels} of=${job.labels} pick=${addLabel} /><${Whose} of=${job} pick=${ofProject} /></div>`;

/** The accuracy on the test images, with what it may be by chance. @param {{of: number | null | undefined, test?: any, children?: any}} props */
export function Reached({ of: accuracy, test, children }) {
  if (accuracy === null || accuracy === undefined) return html`<span class="faint">–</span>`;
  return html`<span class="lines">
    <strong>${percent(accuracy)}</strong>
    ${test && html`<span class="faint" title="95% interval">${interval(test.interval)}</span>`}
    ${children}
  </span>`;
}

/** How far it is, and while it runs how long it takes still. @param {{of: any}} props */
const Going = ({ of: job }) => html`<span class="lines">
  <${Progress} value=${job.progress} over=${FINISHED.has(job.state)} label="Progress of ${job.name}" />
  ${job.state === "running" && job.eta_seconds !== null && html`<span class="faint">${duration(job.eta_seconds)} left</span>`}
</span>`;

/** The first columns. @param {string} page where one is shown @returns {Column[]} */
export const begin = (page) => [
  { id: "state", label: "State", sort: "state", cell: (job) => html`<${Standing} of=${job} page=${page} />` },
  { id: "name", label: "Name", sort: "name", cell: (job) => html`<${Named} of=${job} page=${page} />` },
  { id: "dataset", label: "Dataset", from: 66, cell: (job) => html`<div class="short">${job.dataset}</div>` },
];

/** The last ones. @type {Column[]} */
export const END = [
  { id: "progress", label: "Progress", sort: "progress", from: 54, cell: (job) => html`<${Going} of=${job} />` },
  { id: "age", label: "Asked for", sort: "created_at", number: true, cell: (job) => html`<${Age} at=${job.created_at} />` },
];
