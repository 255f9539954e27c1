import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("keys");
  return html`<h1>keys</h1>`;
}
