// What the list says of each search.

import { count, duration, interval, percent } from "../../format.js";
import { Age, Labels, Progress, State } from "../../parts/basics.js";
import { href } from "../../router.js";
import { html } from "../../view.js";
import { addLabel } from "./filters.js";

/** As much of an error as the list shows; the page of the search has all of it. Letters. */
const SHORT = 140;

/** @type {import("../../parts/table.js").Column[]} */
export const COLUMNS = [
  { id: "state", label: "State", sort: "state", cell: (search) => html`<${Standing} of=${search} />` },
  { id: "name", label: "Name", sort: "name", cell: (search) => html`<${Name} of=${search} />` },
  { id: "dataset", label: "Dataset", cell: (search) => search.dataset },
  { id: "teacher", label: "Teacher", cell: (search) => search.teacher },
  { id: "budget", label: "Budget", number: true, cell: (search) => html`<${Budget} of=${search.budget} />` },
  { id: "best", label: "Best accuracy", sort: "accuracy", number: true, cell: (search) => html`<${Best} of=${search} />` },
  { id: "progress", label: "Progress", sort: "progress", cell: (search) => html`<${Progress} value=${search.progress} label="Progress of ${search.name}" />` },
  { id: "left", label: "Time left", number: true, cell: (search) => (search.state === "running" ? duration(search.eta_seconds) : "–") },
  { id: "age", label: "Asked for", sort: "created_at", number: true, cell: (search) => html`<${Age} at=${search.created_at} />` },
];

/** The state, and what there is to say of it: the phase, what it waits for, why it failed. @param {{of: any}} props */
function Standing({ of: search }) {
  return html`<div class="standing"><${State} of=${search.state} cancelling=${search.cancel_requested} /> <${Why} of=${search} /></div>`;
}

/** @param {{of: any}} props */
function Why({ of: search }) {
  if (search.state === "failed") {
    return html`<a class="why" href=${href(["searches", search.id])}>${shortened(search.error?.message ?? "It failed.")}</a>`;
  }
  const waits = search.waiting_for && `waits for ${search.waiting_for}`;
  if (search.state === "queued") {
    const place = search.queue_position ? `number ${search.queue_position} in the queue` : "";
    return html`<span class="why faint">${[place, waits].filter(Boolean).join("; ")}</span>`;
  }
  return search.state === "running" && html`<span class="why faint">${waits ? `${search.phase}: ${waits}` : search.phase}</span>`;
}

/** @param {string} text */
const shortened = (text) => (text.length > SHORT ? `${text.slice(0, SHORT).trimEnd()}…` : text);

/** @param {{of: any}} props */
const Name = ({ of: search }) =>
  html`<div class="named"><a href=${href(["searches", search.id])}>${search.name || search.id}</a> <${Labels} of=${search.labels} pick=${addLabel} /></div>`;

/** The limits of a budget, one below the other. @param {{of: any}} props */
export function Budget({ of: budget }) {
  const limits = [
    budget?.flops && `${count(budget.flops)} FLOPs`,
    budget?.params && `${count(budget.params)} params`,
    budget?.latency_ms && `${budget.latency_ms} ms`,
  ].filter(Boolean);
  if (!limits.length) return html`<span class="faint">none</span>`;
  return html`<span class="lines">${limits.map((limit) => html`<span key=${limit}>${limit}</span>`)}</span>`;
}

/** The winner's accuracy with what it may be by chance, above its control's. @param {{of: any}} props */
function Best({ of: search }) {
  const accuracy = search.best?.test_accuracy;
  if (accuracy === null || accuracy === undefined) return html`<span class="faint">–</span>`;
  const control = search.control_accuracy;
  return html`<span class="lines">
    <strong>${percent(accuracy)}</strong>
    ${search.best.test && html`<span class="faint" title="95% interval">${interval(search.best.test.interval)}</span>`}
    ${control !== null && control !== undefined && html`<span class="faint" title="A random network of the same cost">control ${percent(control)}</span>`}
  </span>`;
}
