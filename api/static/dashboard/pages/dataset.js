import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("dataset");
  return html`<h1>dataset</h1>`;
}
