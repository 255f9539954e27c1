import { useTitle } from "../hooks.js";
import { html } from "../view.js";

export default function Page() {
  useTitle("trainings");
  return html`<h1>trainings</h1>`;
}
