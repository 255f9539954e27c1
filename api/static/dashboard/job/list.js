// The page of a list of jobs: filters, what is selected, the table, live.

import { useMay } from "../caller.js";
import { isId } from "../form/chosen.js";
import { useEach, usePages, useResource, useTitle } from "../hooks.js";
import { useChanges } from "../live.js";
import { Empty, Loading, ProblemNote } from "../parts/basics.js";
import { More, Table } from "../parts/table.js";
import { ask, usePlace } from "../router.js";
import { html, useRef } from "../view.js";
import { Chosen } from "./chosen.js";
import { asked, clear, Filters, isNarrowed } from "./filters.js";

/** @typedef {import("./chosen.js").Kind} Kind */

/**
 * @param {object} props
 * @param {Kind} props.kind
 * @param {string} props.title
 * @param {import("../parts/table.js").Column[]} props.columns
 * @param {import("../client.js").Query} [props.narrowed] what the list is narrowed by beside its filters
 * @param {string} props.lost what is deleted with one
 * @param {any} props.none what shows while there are none at all: what they are, and how to begin
 * @param {any} [props.actions]
 * @param {(chosen: any[]) => any} [props.ways] what can be done with a selection, beside cancelling and deleting
 * @param {(chosen: any[]) => any} [props.beside] what a selection shows
 */
export function List({ kind, title, columns, narrowed = {}, lost, none, actions, ways = () => null, beside = () => null }) {
  const { query } = usePlace();
  const sort = query.get("sort") ?? "-created_at";
  const { items, problem, loading, more, reload } = usePages(kind.many, { ...asked(query), ...narrowed, sort, limit: 50 }, [kind.one]);
  const counts = useCounts(kind, { ...asked(query), ...narrowed });
  const running = items.filter((job) => job.state === "running");
  useTitle(title, running.length === 1 ? running[0] : null);
  const mayRun = useMay("run");
  const picked = new Set(query.getAll("pick"));
  const unseen = useUnseen(kind, items, loading || problem ? [] : [...picked]);
  const chosen = [...items.filter((job) => picked.has(job.id)), ...unseen];
  const first = !loading && !problem && !items.length && !isNarrowed(query) && !Object.values(narrowed).some(Boolean);
  return html`<div class="head"><h1>${title}</h1><div class="actions">${mayRun && actions}</div></div>
    ${first ? none : html`<${Filters} counts=${counts?.states ?? null} />`}
    <${ProblemNote} of=${problem} retry=${reload} />
    <${Chosen} kind=${kind} rows=${chosen} unseen=${unseen.length} mayRun=${mayRun} reload=${reload} lost=${lost}>${(chosen.length > 0 || items.length > 1) && ways(chosen)}</${Chosen}>
    ${beside(chosen)}
    ${loading && html`<${Loading} />`}
    ${items.length > 0 && html`<${Table} caption=${title} columns=${columns} rows=${items} sort=${sort} onSort=${(/** @type {string} */ sort) => ask({ sort })}
      selected=${picked} onSelect=${(/** @type {string[]} */ ids, /** @type {boolean} */ on) => pick(picked, ids, on)} />`}
    ${!loading && !problem && !items.length && !first && html`<${Empty}>None fits these filters. <button type="button" onClick=${clear}>Clear filters</button></${Empty}>`}
    <${More} more=${more} shown=${items.length} of=${shownOf(counts, query)} />`;
}

/** Selections of an address that are read though the list does not show them: as many as one comes with from elsewhere. */
const MOST_UNSEEN = 8;

/**
 * Jobs that are selected and have not been among those that show, as far as there are such. One that has been and is not any more was deleted.
 * @param {Kind} kind
 * @param {any[]} items
 * @param {string[]} picked
 * @returns {any[]}
 */
function useUnseen({ many }, items, picked) {
  const seen = useRef(/** @type {Set<string>} */ (new Set()));
  for (const { id } of items) seen.current.add(id);
  const ids = picked.filter((id) => isId(id) && !seen.current.has(id));
  const wanted = ids.length > MOST_UNSEEN ? [] : ids;
  const { found } = useEach(wanted.map((id) => ({ path: `${many}/${encodeURIComponent(id)}` })));
  return found.map(({ data }) => data).filter(Boolean);
}

/**
 * How many jobs the other filters leave in each state.
 * @param {Kind} kind
 * @param {import("../client.js").Query} filters
 */
function useCounts({ one, many }, filters) {
  const { data, reload } = useResource(`${many}/counts`, { ...filters, state: null });
  useChanges([one], reload);
  return data;
}

/** How many a list has in all. @param {any} counts @param {URLSearchParams} query */
function shownOf(counts, query) {
  const states = query.getAll("state");
  if (!counts || !states.length) return counts?.total;
  return states.reduce((sum, state) => sum + (counts.states[state] ?? 0), 0);
}

/** @param {Set<string>} picked @param {string[]} ids @param {boolean} on */
export function pick(picked, ids, on) {
  const left = new Set(picked);
  for (const id of ids) {
    if (on) left.add(id);
    else left.delete(id);
  }
  ask({ pick: [...left] });
}
