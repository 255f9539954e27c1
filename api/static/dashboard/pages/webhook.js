import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("webhook");
  return html`<h1>webhook</h1>`;
}
