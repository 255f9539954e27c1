import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("search");
  return html`<h1>search</h1>`;
}
