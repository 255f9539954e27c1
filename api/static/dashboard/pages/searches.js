// The front page: every search, as filtered and sorted, live.

import { href, ask, usePlace } from "../router.js";
import { usePages, useTitle } from "../hooks.js";
import { count, duration, interval, percent } from "../format.js";
import { Age, Empty, Labels, Loading, ProblemNote, Progress, State } from "../parts/basics.js";
import { More, Table } from "../parts/table.js";
import { html } from "../view.js";

const COLUMNS = [
  { id: "state", label: "State", cell: (/** @type {any} */ row) => html`<${State} of=${row.state} cancelling=${row.cancel_requested} />` },
  { id: "name", label: "Name", sort: "name", cell: (/** @type {any} */ row) => html`<a href=${href(["searches", row.id])}>${row.name || row.id}</a> <${Labels} of=${row.labels} />` },
  { id: "dataset", label: "Dataset", cell: (/** @type {any} */ row) => row.dataset },
  { id: "best", label: "Best accuracy", number: true, cell: (/** @type {any} */ row) => percent(row.best?.test_accuracy) },
  { id: "progress", label: "Progress", cell: (/** @type {any} */ row) => html`<${Progress} value=${row.progress} label="Progress of ${row.name}" />` },
  { id: "left", label: "Time left", number: true, cell: (/** @type {any} */ row) => (row.state === "running" ? duration(row.eta_seconds) : "–") },
  { id: "age", label: "Asked for", sort: "created_at", cell: (/** @type {any} */ row) => html`<${Age} at=${row.created_at} />` },
];

export default function Searches() {
  useTitle("Searches");
  const { query } = usePlace();
  const sort = query.get("sort") ?? "-created_at";
  const { items, problem, loading, more, reload } = usePages("searches", { sort, state: query.getAll("state"), q: query.get("q"), limit: 50 }, ["search"]);
  return html`<div class="head"><h1>Searches</h1><div class="actions"><a href="#/searches/new">New search</a></div></div>
    <${ProblemNote} of=${problem} retry=${reload} />
    ${loading ? html`<${Loading} />` : items.length ? html`<${Table} caption="Searches" columns=${COLUMNS} rows=${items} sort=${sort} onSort=${(/** @type {string} */ sort) => ask({ sort })} />` : html`<${Empty}>No searches yet. <a href="#/searches/new">Begin one.</a></${Empty}>`}
    <${More} more=${more} shown=${items.length} />`;
}
