// What can be done with the jobs of a list that are selected: cancel them, delete them, and what their kind has beside that.

import { remove, send } from "../client.js";
import { Bulk, Question } from "../parts/bulk.js";
import { ask } from "../router.js";
import { html, useEffect, useRef, useState } from "../view.js";

/** How a kind of jobs is called: one, several, and below which path of the API. @typedef {{one: string, many: string}} Kind */

/** @param {any} job */
const goesOn = (job) => ["queued", "running"].includes(job.state) && !job.cancel_requested;
/** @param {any} job */
const isOver = (job) => ["succeeded", "failed", "cancelled"].includes(job.state);

/**
 * @param {object} props
 * @param {Kind} props.kind
 * @param {any[]} props.rows those that are selected
 * @param {number} props.unseen how many of them the list does not show
 * @param {boolean} props.mayRun
 * @param {() => Promise<void>} props.reload
 * @param {string} props.lost what is deleted with one
 * @param {any} [props.children] what its kind has beside that; it shows while none is selected too, and says then what to select
 */
export function Chosen({ kind: { one, many }, rows, unseen, mayRun, reload, lost, children }) {
  const [asked, setAsked] = useState(/** @type {import("../parts/bulk.js").Doing | null} */ (null));
  const here = useRef(true);
  useEffect(() => () => void (here.current = false), []);
  const keep = (/** @type {any[]} */ left) => {
    if (!here.current) return;  // It went on while another page was opened.
    ask({ pick: left.map((row) => row.id) });
    return reload();
  };
  const ways = { one, many, then: keep, ask: setAsked, bad: true };
  return html`${!rows.length && children && html`<div class="chosen-bar chosen-none" role="region" aria-label="Selected ${many}">${children}</div>`}
  ${rows.length > 0 && html`<div class="chosen-bar" role="region" aria-label="Selected ${many}">
    <strong>${rows.length} selected${unseen > 0 && `, ${unseen} of them not in view`}</strong>
    ${children}
    ${mayRun && html`
      <${Bulk} verb="Cancel" rows=${rows.filter(goesOn)} act=${(/** @type {any} */ job) => send("POST", `${many}/${job.id}/cancel`)} ...${ways}
        says="What they have done so far is kept: they can be resumed." none="None of them runs or waits." />
      <${Bulk} verb="Delete" rows=${rows.filter(isOver)} act=${(/** @type {any} */ job) => remove(`${many}/${job.id}`)} ...${ways}
        says="${lost} This cannot be undone." none="Only what is finished can be deleted: cancel what is not." />`}
    <button type="button" class="plain" onClick=${() => ask({ pick: null })}>Clear the selection</button>
  </div>`}
  ${asked && html`<${Question} ...${asked} close=${() => setAsked((/** @type {any} */ now) => (now === asked ? null : now))} />`}`;
}
