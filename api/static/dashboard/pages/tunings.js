// Tunings: searches for a recipe, by many short trainings.

import { exact, percent } from "../format.js";
import { begin, END } from "../job/columns.js";
import { List } from "../job/list.js";
import { html } from "../view.js";

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  ...begin("tunings"),
  { id: "trials", label: "Trials", number: true, from: 62, cell: (one) => html`<${Trials} of=${one} />` },
  { id: "best", label: "Best, held out", number: true, cell: (one) => percent(one.best?.value) },
  ...END,
];

/** @param {{of: any}} props */
function Trials({ of: { trials, counts } }) {
  const said = Object.entries(counts).filter(([, count]) => count).map(([state, count]) => `${count} ${state}`).join(", ");
  return html`<span class="lines">${exact(trials)}<span class="faint">${said}</span></span>`;
}

export default function Tunings() {
  return html`<${List} kind=${{ one: "tuning", many: "tunings" }} title="Tunings" columns=${COLUMNS}
    lost="Their trials are deleted with them."
    actions=${html`<a class="button main" href="#/tunings/new">New tuning</a>`}
    none=${html`<section class="panel welcome" aria-label="The first tuning">
      <h2>No tunings yet</h2>
      <p>How well a network is trained depends on its recipe: learning rate, weight decay, label smoothing and more. A tuning tries many recipes in short trainings, ends early what does no good, and says by which to train and which settings matter.</p>
      <div class="actions"><a class="button main" href="#/tunings/new">New tuning</a></div>
    </section>`} />`;
}
