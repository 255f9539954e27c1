// What the list says of each search.

import { count, milliseconds, percent } from "../../format.js";
import { begin, END, Reached } from "../../job/columns.js";
import { html } from "../../view.js";

/** @type {import("../../parts/table.js").Column[]} */
export const COLUMNS = [
  ...begin("searches"),
  { id: "teacher", label: "Teacher", cell: (search) => html`<div class="teacher-name">${search.teacher}</div>` },
  { id: "budget", label: "Budget", number: true, cell: (search) => html`<${Budget} of=${search.budget} />` },
  { id: "best", label: "Best accuracy", sort: "accuracy", number: true, cell: (search) => html`<${Best} of=${search} />` },
  ...END,
];

/** The limits of a budget, one below the other. @param {{of: any}} props */
export function Budget({ of: budget }) {
  const limits = [
    budget?.flops && `${count(budget.flops)} FLOPs`,
    budget?.params && `${count(budget.params)} params`,
    budget?.latency_ms && milliseconds(budget.latency_ms),
  ].filter(Boolean);
  if (!limits.length) return html`<span class="faint">none</span>`;
  return html`<span class="lines">${limits.map((limit) => html`<span key=${limit}>${limit}</span>`)}</span>`;
}

/** The winner's accuracy above its control's. @param {{of: any}} props */
function Best({ of: { best, control_accuracy: control } }) {
  return html`<${Reached} of=${best?.test_accuracy} test=${best?.test}>
    ${control !== null && control !== undefined && html`<span class="faint" title="A random network of the same cost">control ${percent(control)}</span>`}
  </${Reached}>`;
}
