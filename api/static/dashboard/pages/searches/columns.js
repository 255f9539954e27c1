// What the list says of each search.

import { count, milliseconds, percent } from "../../format.js";
import { begin, END, Reached } from "../../job/columns.js";
import { html } from "../../view.js";

/** @type {import("../../parts/table.js").Column[]} */
export const COLUMNS = [
  ...begin("searches"),
  { id: "teacher", label: "Teacher", from: 74, cell: (search) => html`<div class="teacher-name">${search.teacher}</div>` },
  { id: "budget", label: "Budget", number: true, from: 62, cell: (search) => html`<${Budget} of=${search.budget} />` },
  { id: "best", label: "Winner’s accuracy", sort: "accuracy", number: true, cell: (search) => html`<${Best} of=${search} />` },
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

/** The winner's accuracy above its control's, and what that makes of it. @param {{of: any}} props */
function Best({ of: { best, control_accuracy: control, versus_control: versus } }) {
  const reached = best?.test_accuracy;
  return html`<${Reached} of=${reached} test=${best?.test}>
    ${control !== null && control !== undefined && html`<span class="faint" title="A random network of the same cost, trained alike">control ${percent(control)}</span>`}
    ${reached !== null && reached !== undefined && html`<${Verdict} of=${best.test?.verdict} reached=${reached} control=${control} versus=${versus} />`}
  </${Reached}>`;
}

const UNDECIDED = "So few test images do not tell the two apart: the 95% interval of their difference has both signs.";

/**
 * What a winner is worth: nothing where it is at chance, else what it is beside its control.
 * @param {{of: string | null | undefined, reached: number, control: number | null | undefined, versus: string | null | undefined}} props
 */
function Verdict({ of: nothing, reached, control, versus }) {
  if (nothing) return html`<span class="verdict verdict-below">${nothing}</span>`;
  if (control === null || control === undefined) return null;
  const side = reached < control ? "below" : reached > control ? "above" : "equal";
  const said = side === "equal" ? "equal to its control" : `${side} its control`;
  const doubt = versus === "undecided" && side !== "equal";
  return doubt
    ? html`<span class="verdict" title=${UNDECIDED}>${said}, perhaps by chance</span>`
    : html`<span class="verdict verdict-${side}">${said}</span>`;
}
