// Workers: devices, what they run, since when.

import { bytes, between, duration } from "../format.js";
import { usePages, useTick, useTitle } from "../hooks.js";
import { Age, Empty, Loading, ProblemNote } from "../parts/basics.js";
import { More, Table } from "../parts/table.js";
import { ask, href, usePlace } from "../router.js";
import { html } from "../view.js";

/** @typedef {any} Worker body of `GET /workers` */

/** Where a step of that kind belongs; what else there is has no page of its own. */
const PAGES = /** @type {Record<string, string>} */ ({ search: "searches", training: "trainings", tuning: "tunings", dataset: "datasets" });

const COLUMNS = [
  { id: "host", label: "Machine", sort: "hostname", cell: (/** @type {Worker} */ one) => html`${one.hostname} <span class="faint">process ${one.pid}</span>` },
  { id: "device", label: "Device", cell: (/** @type {Worker} */ one) => html`<${Device} of=${one} />` },
  { id: "memory", label: "Memory", cell: (/** @type {Worker} */ one) => html`<${Memory} of=${one} />` },
  { id: "step", label: "Runs", cell: (/** @type {Worker} */ one) => html`<${Running} of=${one} />` },
  { id: "queues", label: "Takes", cell: (/** @type {Worker} */ one) => html`<${Queues} of=${one.queues} />` },
  { id: "started", label: "Started", cell: (/** @type {Worker} */ one) => html`<${Age} at=${one.started_at} />` },
  { id: "seen", label: "Heard of", cell: (/** @type {Worker} */ one) => html`<${Age} at=${one.last_seen_at} />` },
  { id: "versions", label: "Versions", cell: (/** @type {Worker} */ one) => html`<${Versions} of=${one.versions} />` },
];

/** What the two queues are for, in words. */
const WORK = /** @type {Record<string, string>} */ ({ gpu: "what trains and rates", cpu: "what selects, exports and checks" });

/** @param {{of: string[]}} props */
const Queues = ({ of }) => of.map((queue) => html`<div key=${queue}>${WORK[queue] ?? queue} <span class="faint">(queue ${queue})</span></div>`);

/** @param {{of: Worker}} props */
const Device = ({ of: { device, device_name: name, devices } }) =>
  html`${devices > 1 ? `${devices} × ` : ""}${name || device} <span class="faint">${device}</span>`;

/** @param {{of: Worker}} props */
function Memory({ of: { memory_bytes: all, memory_used_bytes: used } }) {
  if (!all) return html`<span class="faint">not known</span>`;
  return html`<meter min="0" max=${all} value=${used ?? 0} aria-label="Memory in use"></meter> <span class="number">${bytes(used)} of ${bytes(all)}</span>`;
}

/** @param {{of: Worker}} props */
function Running({ of }) {
  const why = "Run dna doctor on its machine: DNA_REDIS_URL may be wrong there, or the way to that address closed.";
  const unreached = html`<span class="bad-text" title=${why}>Redis does not answer it</span>`;
  return html`<${Step} of=${of} />${of.redis_answers === false && html`${of.busy && ", then nothing"}: ${unreached}`}`;
}

/** @param {{of: Worker}} props */
function Step({ of: { busy, step } }) {
  useTick(5);
  if (!busy) return html`<span class="faint">nothing</span>`;
  if (!step) return html`<span class="faint">something of another project</span>`;
  const page = PAGES[step.job_kind];
  const since = step.started_at && duration(Math.round(between(step.started_at)));
  return html`${page ? html`<a href=${href([page, step.job_id])}>${step.job_name || step.key}</a>` : step.key}
    <span class="faint"> ${step.key}${since && `, for ${since}`}</span>`;
}

/** @param {{of: Record<string, string>}} props */
const Versions = ({ of }) => html`<details><summary>${of.torch ? `torch ${of.torch}` : `${Object.keys(of).length} packages`}</summary>
  <ul>${Object.entries(of).map(([name, version]) => html`<li>${name} ${version}</li>`)}</ul></details>`;

export default function Workers() {
  useTitle("Workers");
  const { query } = usePlace();
  const sort = query.get("sort") ?? "";
  const { items, problem, loading, more, reload } = usePages("workers", { sort, q: query.get("q"), limit: 50 }, ["search", "training", "tuning", "timing", "dataset", "worker"]);
  return html`<div class="head"><h1>Workers</h1></div>
    <${ProblemNote} of=${problem} retry=${reload} />
    ${loading
      ? html`<${Loading} />`
      : items.length
        ? html`<${Table} caption="Workers" columns=${COLUMNS} rows=${items} sort=${sort} onSort=${(/** @type {string} */ sort) => ask({ sort })} />`
        : html`<${Empty}>No worker is live, so nothing runs and jobs wait. Start one on a machine with a device: <code>dna worker</code>.</${Empty}>`}
    <${More} more=${more} shown=${items.length} />`;
}
