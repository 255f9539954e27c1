import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("new_training");
  return html`<h1>new_training</h1>`;
}
