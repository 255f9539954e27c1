import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("new_tuning");
  return html`<h1>new_tuning</h1>`;
}
