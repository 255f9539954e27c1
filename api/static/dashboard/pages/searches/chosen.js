// What can be done with the searches that are selected: compare them, cancel them, delete them.

import { remove, send } from "../../client.js";
import { Bulk } from "../../parts/bulk.js";
import { ask, href } from "../../router.js";
import { html } from "../../view.js";

/** So many searches are set side by side at most. */
export const MOST_COMPARED = 8;

const cancel = (/** @type {any} */ search) => send("POST", `searches/${search.id}/cancel`);
const discard = (/** @type {any} */ search) => remove(`searches/${search.id}`);

/** @param {any} search */
const goesOn = (search) => ["queued", "running"].includes(search.state) && !search.cancel_requested;
/** @param {any} search */
const isOver = (search) => ["succeeded", "failed", "cancelled"].includes(search.state);

/** @param {{rows: any[], mayRun: boolean, reload: () => Promise<void>}} props */
export function Chosen({ rows, mayRun, reload }) {
  if (!rows.length) return null;
  const keep = (/** @type {any[]} */ left) => {
    ask({ pick: left.map((row) => row.id) });
    return reload();
  };
  return html`<div class="chosen-bar" role="region" aria-label="Selected searches">
    <strong>${rows.length} selected</strong>
    <${Compare} rows=${rows} />
    ${mayRun && html`
      <${Bulk} verb="Cancel" rows=${rows.filter(goesOn)} act=${cancel} one="search" many="searches" then=${keep} bad
        says="What they have done so far is kept: they can be resumed." none="None of them runs or waits." />
      <${Bulk} verb="Delete" rows=${rows.filter(isOver)} act=${discard} one="search" many="searches" then=${keep} bad
        says="Their networks and files are deleted with them. This cannot be undone." none="Only finished searches can be deleted: cancel those that are not." />`}
    <button type="button" class="plain" onClick=${() => ask({ pick: null })}>Clear the selection</button>
  </div>`;
}

/** @param {{rows: any[]}} props */
function Compare({ rows }) {
  if (rows.length < 2) return html`<span class="faint">Select another to compare them.</span>`;
  if (rows.length > MOST_COMPARED) return html`<span class="faint">At most ${MOST_COMPARED} can be compared.</span>`;
  return html`<a class="button main" href=${href(["compare"], { searches: rows.map((row) => row.id) })}>Compare</a>`;
}
