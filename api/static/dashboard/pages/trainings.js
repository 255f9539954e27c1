// Trainings, made alone and by searches: those that are selected show their curves over one another.

import { href, usePlace } from "../router.js";
import { begin, END, Reached } from "../job/columns.js";
import { List } from "../job/list.js";
import { Empty } from "../parts/basics.js";
import { html } from "../view.js";
import { Curves } from "./trainings/curves.js";

const [state, name, ...more] = begin("trainings");

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  state,
  name,
  { id: "network", label: "Network", cell: (one) => html`<${Network} of=${one} />` },
  ...more,
  { id: "accuracy", label: "Accuracy", sort: "accuracy", number: true, cell: (one) => html`<${Reached} of=${one.test_accuracy} test=${one.test} />` },
  ...END,
];

/** What is trained, and for which search. @param {{of: any}} props */
function Network({ of: { network, architecture_id: architecture, search_id: search } }) {
  return html`<span class="lines">
    ${architecture ? html`<a href=${href(["networks", architecture])}>${network}</a>` : network}
    ${search && html`<a class="faint" href=${href(["searches", search])}>of a search</a>`}
  </span>`;
}

export default function Trainings() {
  const { query } = usePlace();
  return html`<${List} kind=${{ one: "training", many: "trainings" }} title="Trainings" columns=${COLUMNS}
    narrowed=${{ search: query.get("search"), architecture: query.get("architecture") }}
    lost="Their weights and files are deleted with them."
    actions=${html`<a class="button main" href="#/trainings/new">New training</a>`}
    none=${html`<${Empty}>No trainings yet. A search trains its winner and a control; any network can be trained on any dataset.</${Empty}>`}
    beside=${(/** @type {any[]} */ chosen) => chosen.length > 0 && html`<${Curves} trainings=${chosen} />`} />`;
}
