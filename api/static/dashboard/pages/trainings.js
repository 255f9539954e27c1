// Trainings, made alone and by searches: those that are selected show their curves over one another.

import { href, usePlace } from "../router.js";
import { exact } from "../format.js";
import { begin, END, Reached } from "../job/columns.js";
import { List } from "../job/list.js";
import { html } from "../view.js";
import { title, titleOf } from "./network/called.js";
import { Curves } from "./trainings/curves.js";

const [state, name, ...more] = begin("trainings");

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  state,
  name,
  { id: "network", label: "Network", cell: (one) => html`<${Network} of=${one} />` },
  ...more,
  { id: "accuracy", label: "Accuracy", sort: "accuracy", number: true, cell: (one) => html`<${Reached} of=${one.test_accuracy} test=${one.test} />` },
  { id: "epochs", label: "Epochs", number: true, from: 74, cell: (one) => exact(one.epochs) },
  ...END,
];

/** What is trained, and for which search. @param {{of: any}} props */
function Network({ of: training }) {
  const { architecture, search_id: search } = training;
  return html`<span class="lines">
    ${architecture ? html`<a href=${href(["networks", architecture.id])}>${title(architecture)}</a>` : html`<span class="faint">${titleOf(training)}</span>`}
    ${search && html`<a class="faint" href=${href(["searches", search])}>of a search</a>`}
  </span>`;
}

export default function Trainings() {
  const { query } = usePlace();
  return html`<${List} kind=${{ one: "training", many: "trainings" }} title="Trainings" columns=${COLUMNS}
    narrowed=${{ search: query.get("search"), architecture: query.get("architecture") }}
    lost="Their weights and files are deleted with them."
    actions=${html`<a class="button main" href="#/trainings/new">New training</a>`}
    none=${html`<section class="panel welcome" aria-label="The first training">
      <h2>No trainings yet</h2>
      <p>A search trains its winner and a random network of the same cost by itself; both are listed here. Any network can be trained again: for longer, by another recipe, or on other pictures, from scratch or from the weights it has.</p>
      <div class="actions"><a class="button main" href="#/trainings/new">New training</a> <a href="#/networks">Choose a network</a></div>
    </section>`}
    ways=${(/** @type {any[]} */ chosen) => !chosen.length && html`<span class="faint">Tick trainings to see their curves over one another.</span>`}
    beside=${(/** @type {any[]} */ chosen) => chosen.length > 0 && html`<${Curves} trainings=${chosen} />`} />`;
}
