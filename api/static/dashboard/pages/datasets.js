// Datasets: what there is to search on, and how to send more.

import { useMay } from "../caller.js";
import { bytes, exact } from "../format.js";
import { usePages, useTitle } from "../hooks.js";
import { Age, Empty, Loading, ProblemNote, Progress, State } from "../parts/basics.js";
import { More, Table } from "../parts/table.js";
import { Whose } from "../parts/whose.js";
import { ask, href, usePlace } from "../router.js";
import { html } from "../view.js";
import { Send } from "./datasets/send.js";

/** @typedef {any} Dataset body of `GET /datasets/{id}` */

const COLUMNS = [
  { id: "name", label: "Name", sort: "name", cell: (/** @type {Dataset} */ one) => html`<a href=${href(["datasets", one.id])}>${one.name}</a>${one.version > 1 && html` <span class="faint">version ${one.version}</span>`}<${Whose} of=${one} />` },
  { id: "state", label: "State", cell: (/** @type {Dataset} */ one) => html`<${Check} of=${one} />` },
  { id: "classes", label: "Classes", number: true, cell: (/** @type {Dataset} */ one) => exact(one.num_classes) },
  { id: "images", label: "Images", number: true, cell: (/** @type {Dataset} */ one) => exact(one.num_train === null ? null : one.num_train + (one.num_val ?? 0) + (one.num_test ?? 0)) },
  { id: "size", label: "Size", number: true, cell: (/** @type {Dataset} */ one) => bytes(one.bytes) },
  { id: "kind", label: "From", cell: (/** @type {Dataset} */ one) => one.kind },
  { id: "age", label: "Sent", sort: "created_at", cell: (/** @type {Dataset} */ one) => html`<${Age} at=${one.created_at} />` },
  { id: "use", label: "", cell: (/** @type {Dataset} */ one) => one.state === "ready" && html`<a href=${href(["searches", "new"], { dataset: one.name })} aria-label="Search on ${one.name}">Search</a>` },
];

/** How the check stands. @param {{of: Dataset}} props */
function Check({ of: { state, progress, waiting_for: waits, error, name } }) {
  return html`<${State} of=${state} />
    ${state === "checking" && html` <${Progress} value=${progress ?? 0} label="Check of ${name}" />`}
    ${waits && html`<div class="faint">waits for ${waits}</div>`}
    ${error && html`<div class="faint clipped">${error.message}</div>`}`;
}

export default function Datasets() {
  useTitle("Datasets");
  const { query } = usePlace();
  const sort = query.get("sort") ?? "-created_at";
  const asked = { sort, q: query.get("q"), state: query.getAll("state"), limit: 50 };
  const { items, problem, loading, more, reload } = usePages("datasets", asked, ["dataset"]);
  const mayRun = useMay("run");
  const filtered = query.get("q") || query.get("state");
  return html`<div class="head"><h1>Datasets</h1></div>
    ${mayRun && html`<${Send} sent=${reload} />`}
    <form class="filters" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label>Name <input type="search" value=${query.get("q") ?? ""} onInput=${(/** @type {any} */ event) => ask({ q: event.target.value })} /></label>
      <label>State <select value=${query.get("state") ?? ""} onChange=${(/** @type {any} */ event) => ask({ state: event.target.value })}>
        <option value="">all</option><option>ready</option><option>checking</option><option>rejected</option>
      </select></label>
    </form>
    <${ProblemNote} of=${problem} retry=${reload} />
    ${loading
      ? html`<${Loading} />`
      : items.length
        ? html`<${Table} caption="Datasets" columns=${COLUMNS} rows=${items} sort=${sort} onSort=${(/** @type {string} */ sort) => ask({ sort })} />`
        : html`<${Empty}>${filtered ? "No dataset is like that." : "No datasets yet: send one above."}</${Empty}>`}
    <${More} more=${more} shown=${items.length} />`;
}
