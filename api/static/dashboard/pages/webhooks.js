import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("webhooks");
  return html`<h1>webhooks</h1>`;
}
