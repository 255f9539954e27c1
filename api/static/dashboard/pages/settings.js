import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("settings");
  return html`<h1>settings</h1>`;
}
