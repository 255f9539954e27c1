// A field whose text counts when it is done: half a number is none, and what is drawn anew meanwhile takes no letter away.

import { html, useState } from "../view.js";

/**
 * @param {object} props
 * @param {string} props.value what holds
 * @param {(text: string, field: HTMLInputElement) => void} props.onDone gets the text when Enter is pressed or the field is left
 * @param {string} props.label for those who do not see what stands beside it
 * @param {Record<string, unknown>} [props.attributes] others of the input
 */
export function Typed({ value, onDone, label, attributes = {} }) {
  const [draft, setDraft] = useState(/** @type {string | null} */ (null));
  const done = (/** @type {any} */ event) => {
    setDraft(null);
    onDone(event.target.value, event.target);
  };
  // Text that is as it was when the field was entered is no change to the browser: left, the field follows what holds again.
  return html`<input class="short" ...${attributes} value=${draft ?? value} aria-label=${label} onInput=${(/** @type {any} */ event) => setDraft(event.target.value)} onChange=${done} onBlur=${() => setDraft(null)} />`;
}
