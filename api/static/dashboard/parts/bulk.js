// The same done with several things, after a question; of what failed it says which and why.

import { Problem } from "../client.js";
import { html, useState } from "../view.js";
import { Dialog } from "./dialog.js";
import { notify } from "./notices.js";

/** So many names are listed in the question. */
const LISTED = 10;

/**
 * @typedef {object} Doing
 * @property {string} verb such as "Delete"
 * @property {any[]} rows what it is done with, with `id` and `name` each
 * @property {(row: any) => Promise<unknown>} act
 * @property {string} one @property {string} many what a row is called
 * @property {string} [says] what comes of it
 * @property {boolean} [bad] it destroys something
 * @property {(left: any[]) => unknown} then is called with those that failed
 */

/**
 * The button. The question it asks belongs beside what shows the rows and not into it: its report stays when the list has none of them any more.
 * @param {Doing & {none: string, ask: (doing: Doing) => void}} props `none`: why it can be done with none of what is selected
 */
export function Bulk({ none, ask, ...doing }) {
  const { verb, rows, bad } = doing;
  return html`<button type="button" class=${bad ? "bad" : ""} disabled=${!rows.length} title=${rows.length ? null : none} onClick=${() => ask(doing)}>
    ${verb} ${rows.length || ""}
  </button>`;
}

/** @param {Doing & {close: () => void}} props */
export function Question({ verb, rows, act, one, many, says, then, bad = false, close }) {
  // What was asked about stays, while the list behind it changes.
  const [asked] = useState(rows);
  const [state, setState] = useState({ busy: false, done: 0, failed: /** @type {{row: any, problem: Problem}[]} */ ([]), over: false });
  const named = asked.length === 1 ? `1 ${one}` : `${asked.length} ${many}`;
  const run = async () => {
    const failed = await each(asked, act, (done) => setState({ busy: true, done, failed: [], over: false }));
    setState({ busy: false, done: asked.length - failed.length, failed, over: true });
    await then(failed.map(({ row }) => row));
    if (failed.length) return;
    notify(`${verb}: done with ${named}.`);
    close();
  };
  return html`<${Dialog} title="${verb} ${named}?" onClose=${close}>
    ${state.over ? html`<${Failed} ...${state} />` : html`<${Names} rows=${asked} />${says && html`<p>${says}</p>`}`}
    <div class="actions">
      ${!state.over && html`<button type="button" class=${bad ? "bad" : "main"} disabled=${state.busy} onClick=${run}>
        ${state.busy ? `${state.done} of ${asked.length} …` : `${verb} ${named}`}
      </button>`}
      <button type="button" onClick=${close}>Close</button>
    </div>
  </${Dialog}>`;
}

/**
 * One after the other, so that a limit on requests is not run into.
 * @param {any[]} rows
 * @param {(row: any) => Promise<unknown>} act
 * @param {(done: number) => void} tell
 */
async function each(rows, act, tell) {
  const failed = [];
  for (const [number, row] of rows.entries()) {
    tell(number);
    try {
      await act(row);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      failed.push({ row, problem });
    }
  }
  return failed;
}

/** @param {{rows: any[]}} props */
const Names = ({ rows }) => html`<ul>
  ${rows.slice(0, LISTED).map((row) => html`<li key=${row.id}>${row.name || row.id}</li>`)}
  ${rows.length > LISTED && html`<li>and ${rows.length - LISTED} more</li>`}
</ul>`;

/** @param {{done: number, failed: {row: any, problem: Problem}[]}} props */
const Failed = ({ done, failed }) => html`<div class="note note-bad" role="alert">
  <p>Done with ${done}. Not with ${failed.length}:</p>
  <ul>${failed.map(({ row, problem }) => html`<li key=${row.id}>${row.name || row.id}: ${problem.message}</li>`)}</ul>
</div>`;
