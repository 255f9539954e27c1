import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("network");
  return html`<h1>network</h1>`;
}
