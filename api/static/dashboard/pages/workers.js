import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("workers");
  return html`<h1>workers</h1>`;
}
