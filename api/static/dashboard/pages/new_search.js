import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("new_search");
  return html`<h1>new_search</h1>`;
}
