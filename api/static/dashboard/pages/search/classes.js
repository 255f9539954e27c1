// What the winner recognises least, and what it takes for what.

import { count, interval, percent } from "../../format.js";
import { Empty } from "../../parts/basics.js";
import { Table } from "../../parts/table.js";
import { href } from "../../router.js";
import { html } from "../../view.js";
import { winnerOf } from "./networks.js";

/** Classes that show: those that are recognised least. */
const SHOWN = 5;

/** @type {import("../../parts/table.js").Column[]} */
const COLUMNS = [
  { id: "name", label: "Class", cell: (row) => html`<bdi>${row.name}</bdi>` },
  { id: "recall", label: "Recognised", number: true, cell: (row) => html`${percent(row.recall)} <span class="faint">${interval(row.interval)}</span>` },
  { id: "right", label: "Right of images", number: true, cell: (row) => `${count(row.right)} of ${count(row.images)}` },
];

/** @param {{search: any}} props */
export function Classes({ search }) {
  const winner = winnerOf(search);
  const by = winner?.by_class;
  if (!by) return html`<${Empty}>What the winner recognises of each class is known when it is trained.</${Empty}>`;
  const { recalls, confused, classes } = by;
  return html`<${Table} caption="Classes that the winner recognises least" columns=${COLUMNS} rows=${recalls.slice(0, SHOWN)} />
    ${confused.length > 0 && html`<p>Taken for another: ${confused.slice(0, SHOWN).map((/** @type {any} */ pair, /** @type {number} */ number) => html`${number > 0 && ", "}<bdi>${pair.label}</bdi> for <bdi>${pair.answer}</bdi> (${count(pair.images)})`)}.</p>`}
    <p class="faint">${classes > SHOWN ? `The ${SHOWN} least recognised of ${count(classes)}. ` : ""}<a href=${href(["networks", winner.id])}>The network's page</a> has the whole confusion matrix.</p>`;
}
