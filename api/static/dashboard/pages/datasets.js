import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("datasets");
  return html`<h1>datasets</h1>`;
}
