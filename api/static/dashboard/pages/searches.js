// The front page: every search, as filtered and sorted, live.

import { useMay } from "../caller.js";
import { usePages, useTitle } from "../hooks.js";
import { Empty, Loading, ProblemNote } from "../parts/basics.js";
import { More, Table } from "../parts/table.js";
import { ask, usePlace } from "../router.js";
import { html } from "../view.js";
import { Chosen } from "./searches/chosen.js";
import { COLUMNS } from "./searches/columns.js";
import { asked, clear, Filters, isNarrowed } from "./searches/filters.js";
import { Welcome } from "./searches/welcome.js";

export default function Searches() {
  const { query } = usePlace();
  const sort = query.get("sort") ?? "-created_at";
  const { items, problem, loading, more, reload } = usePages("searches", { ...asked(query), sort, limit: 50 }, ["search"]);
  const running = items.filter((search) => search.state === "running");
  useTitle("Searches", running.length === 1 ? running[0] : null);
  const mayRun = useMay("run");
  const picked = new Set(query.getAll("pick"));
  const first = !loading && !problem && !items.length && !isNarrowed(query);
  return html`<div class="head"><h1>Searches</h1>
      <div class="actions">${mayRun && html`<a class="button main" href="#/searches/new">New search</a>`}</div>
    </div>
    ${first ? html`<${Welcome} />` : html`<${Filters} counts=${null} />`}
    <${ProblemNote} of=${problem} retry=${reload} />
    <${Chosen} rows=${items.filter((search) => picked.has(search.id))} mayRun=${mayRun} reload=${reload} />
    ${loading && html`<${Loading} what="Reading the searches" />`}
    ${items.length > 0 && html`<${Table} caption="Searches" columns=${COLUMNS} rows=${items} sort=${sort} onSort=${(/** @type {string} */ sort) => ask({ sort })}
      selected=${picked} onSelect=${(/** @type {string[]} */ ids, /** @type {boolean} */ on) => pick(picked, ids, on)} />`}
    ${!loading && !problem && !items.length && !first && html`<${Empty}>No search fits these filters. <button type="button" onClick=${clear}>Clear filters</button></${Empty}>`}
    <${More} more=${more} shown=${items.length} />`;
}

/** @param {Set<string>} picked @param {string[]} ids @param {boolean} on */
function pick(picked, ids, on) {
  const left = new Set(picked);
  for (const id of ids) {
    if (on) left.add(id);
    else left.delete(id);
  }
  ask({ pick: [...left] });
}
