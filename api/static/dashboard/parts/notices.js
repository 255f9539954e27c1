// Short news at the edge of the page: what was done, or what failed without a place of its own.

import { Signal, useSignal } from "../signal.js";
import { html } from "../view.js";

/** @type {Signal<{id: number, text: string, bad: boolean}[]>} */
const notices = new Signal(/** @type {{id: number, text: string, bad: boolean}[]} */ ([]));
let made = 0;

/** @param {string} text @param {{bad?: boolean}} [options] */
export function notify(text, { bad = false } = {}) {
  const id = (made += 1);
  notices.set([...notices.value, { id, text, bad }]);
  if (!bad) setTimeout(() => dismiss(id), 6000);
}

/** @param {number} id */
const dismiss = (id) => notices.set(notices.value.filter((notice) => notice.id !== id));

export function Notices() {
  const shown = useSignal(notices);
  return html`<div class="notices" role="status" aria-live="polite">
    ${shown.map(({ id, text, bad }) => html`<div key=${id} class="note ${bad ? "note-bad" : ""}">
      ${text} <button type="button" class="plain" aria-label="Dismiss" onClick=${() => dismiss(id)}>✕</button>
    </div>`)}
  </div>`;
}
