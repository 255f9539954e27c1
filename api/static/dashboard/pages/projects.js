import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("projects");
  return html`<h1>projects</h1>`;
}
