import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("networks");
  return html`<h1>networks</h1>`;
}
