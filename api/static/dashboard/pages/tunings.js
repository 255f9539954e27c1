import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("tunings");
  return html`<h1>tunings</h1>`;
}
