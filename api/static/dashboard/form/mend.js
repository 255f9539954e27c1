// What has to be put right, in a line: each name leads to its field, where it is said what is wrong.

import { html } from "../view.js";
import { useForm } from "./context.js";
import { parts } from "./document.js";
import { show } from "./show.js";

/** @param {{errors: import("./context.js").FieldError[]}} props */
export function Mend({ errors }) {
  const { labels } = useForm();
  const places = [...new Set(errors.map((error) => error.pointer))];
  return html`<p class="mend">
    <strong>${places.length === 1 ? "1 thing" : `${places.length} things`} to mend:</strong>
    ${places.map((pointer) => html` <button type="button" class="plain form-link" key=${pointer} onClick=${() => show(pointer)}>${labels.short(parts(pointer))}</button>`)}
  </p>`;
}
