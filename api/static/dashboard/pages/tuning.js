import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("tuning");
  return html`<h1>tuning</h1>`;
}
