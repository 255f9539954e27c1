// All networks: found, selected, sent, standard; what is filtered as a table and as a plot of accuracy over cost.

import { useMay } from "../caller.js";
import { count, latency, loss as lossText, percent } from "../format.js";
import { usePages, useResource, useTitle } from "../hooks.js";
import { Age, Empty, Loading, ProblemNote } from "../parts/basics.js";
import { More, Table } from "../parts/table.js";
import { Whose } from "../parts/whose.js";
import { ask, href, usePlace } from "../router.js";
import { html, useState } from "../view.js";
import { title } from "./network/called.js";
import { asked, clear, Filters, isNarrowed } from "./networks/filters.js";
import { Scatter } from "./networks/scatter.js";
import { Send } from "./networks/send.js";

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { id: "name", label: "Network", sort: "name", cell: (/** @type {any} */ row) => html`<a href=${href(["networks", row.id])}>${title(row)}</a><${Whose} of=${row} />` },
  { id: "role", label: "Role", cell: (/** @type {any} */ row) => row.role },
  { id: "search", label: "Search", cell: (/** @type {any} */ row) => (row.search_id ? html`<a href=${href(["searches", row.search_id])}>${row.search}</a>` : html`<span class="faint">–</span>`) },
  {
    id: "accuracy",
    label: "Accuracy",
    sort: "accuracy",
    number: true,
    cell: (/** @type {any} */ row) => html`<${Reached} network=${row} />`,
  },
  { id: "loss", label: "Predicted loss", sort: "loss", number: true, from: 54, cell: (/** @type {any} */ row) => lossText(row.loss) },
  { id: "flops", label: "FLOPs", sort: "flops", number: true, cell: (/** @type {any} */ row) => count(row.flops) },
  { id: "params", label: "Parameters", sort: "params", number: true, from: 54, cell: (/** @type {any} */ row) => count(row.params) },
  { id: "latency", label: "Latency", sort: "latency", number: true, cell: (/** @type {any} */ row) => latency(row.latency_ns) },
  { id: "age", label: "Kept", sort: "created_at", cell: (/** @type {any} */ row) => html`<${Age} at=${row.created_at} />` },
];

/**
 * The accuracy; of a network without a search, whose trainings may be on any images, with those that it is on.
 * @param {{network: any}} props
 */
const Reached = ({ network: { test_accuracy: accuracy, test_dataset: dataset, search_id: search } }) =>
  html`<span class="lines">${percent(accuracy)}
    ${dataset && !search && html`<span class="faint">on ${dataset}</span>`}</span>`;

export default function Networks() {
  useTitle("Networks");
  const { query } = usePlace();
  const mayRun = useMay("run");
  const [sending, setSending] = useState(false);
  const sort = query.get("sort") ?? "-created_at";
  const where = asked(query);
  const { data: searches } = useResource("searches", { limit: 200 });
  const { items, problem, loading, more, reload } = usePages("architectures", { ...where, sort, limit: 50 }, ["search", "training"]);
  return html`<div class="head"><h1>Networks</h1>
      <div class="actions">${mayRun && html`<button type="button" class="main" onClick=${() => setSending(true)}>Send a network</button>`}</div>
    </div>
    ${sending && html`<${Send} close=${() => setSending(false)} />`}
    <${Filters} searches=${searches?.items ?? []} />
    <${ProblemNote} of=${problem} retry=${reload} />
    ${loading && html`<${Loading} what="Reading the networks" />`}
    ${items.length > 0 && html`<${Scatter} where=${where} />
      <${Table} caption="Networks" columns=${COLUMNS} rows=${items} sort=${sort} onSort=${(/** @type {string} */ sort) => ask({ sort })} />`}
    ${!loading && !problem && !items.length && (isNarrowed(query)
      ? html`<${Empty}>No network fits these filters. <button type="button" onClick=${clear}>Clear filters</button></${Empty}>`
      : html`<${Empty}>No networks yet. <a href="#/searches/new">A search</a> finds some, and networks from elsewhere can be sent.</${Empty}>`)}
    <${More} more=${more} shown=${items.length} />`;
}
