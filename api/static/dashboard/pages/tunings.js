// Tunings: searches for a recipe, by many short trainings.

import { exact, percent } from "../format.js";
import { begin, END } from "../job/columns.js";
import { List } from "../job/list.js";
import { Empty } from "../parts/basics.js";
import { html } from "../view.js";

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  ...begin("tunings"),
  { id: "trials", label: "Trials", number: true, cell: (one) => html`<${Trials} of=${one} />` },
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
    none=${html`<${Empty}>No tunings yet. One tries recipes on a network by short trainings, and says which to train it by and which settings matter.</${Empty}>`} />`;
}
