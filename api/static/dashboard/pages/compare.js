import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("compare");
  return html`<h1>compare</h1>`;
}
