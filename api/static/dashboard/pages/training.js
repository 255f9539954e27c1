import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("training");
  return html`<h1>training</h1>`;
}
