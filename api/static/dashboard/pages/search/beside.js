// The winner beside its control and standard networks: what each reached on the test images, with 95% intervals, and what that says.

import { count, interval, loss, percent } from "../../format.js";
import { Empty } from "../../parts/basics.js";
import { Table } from "../../parts/table.js";
import { href } from "../../router.js";
import { html } from "../../view.js";
import { called, compared, meanwhile, stepOf, trainedSince } from "./networks.js";

/** @type {import("../../parts/table.js").Column[]} */
const COLUMNS = [
  { id: "name", label: "Network", cell: (row) => (row.of ? html`<a href=${href(["networks", row.of])}>${row.name}</a>` : row.name) },
  { id: "interval", label: "95% interval", cell: (row) => html`<${Whiskers} ...${row} />` },
  { id: "accuracy", label: "Accuracy", number: true, cell: (row) => html`<strong>${percent(row.test?.accuracy)}</strong><br /><span class="faint">${interval(row.test?.interval)}</span>` },
  { id: "balanced", label: "Mean over classes", number: true, cell: (row) => percent(row.test?.balanced_accuracy) },
  { id: "log_loss", label: "Log-loss", number: true, cell: (row) => loss(row.test?.log_loss) },
  { id: "flops", label: "FLOPs", number: true, cell: (row) => count(row.flops) },
  { id: "params", label: "Parameters", number: true, cell: (row) => count(row.params) },
];

/** @param {{search: any}} props */
export function Beside({ search }) {
  const networks = compared(search);
  if (!networks.length) return html`<${Empty}>The winner is known when every path is rated, its accuracy when it is trained. ${meanwhile(search)}</${Empty}>`;
  const since = trainedSince(search);
  const rows = [...networks, ...since].map((network) => ({ ...network, of: network.id, name: called(network) }));
  const teacher = stepOf(search, "teacher");
  if (teacher?.values.test) rows.push({ id: "teacher", name: "Teacher", test: teacher.values.test, flops: teacher.values.flops, params: teacher.values.params });
  const span = spanOf(rows);
  return html`<${Table} caption="Networks of the search" columns=${COLUMNS} rows=${rows.map((row) => ({ ...row, span }))} />
    ${since.length > 0 && html`<p class="faint">${since.length === 1 ? "The selected one was" : "Those selected were"}${" "}
      trained afterwards, by trainings of their own: for as long, and by the recipe, that those say.</p>`}
    <${Says} search=${search} rows=${rows} />`;
}

/** What the figures say, in words. @param {{search: any, rows: any[]}} props */
function Says({ search, rows }) {
  const said = [search.comparison?.says, ...search.beside.map((/** @type {any} */ beside) => beside.says)].filter(Boolean);
  const verdicts = rows.filter((row) => row.test?.verdict).map((row) => `${row.name}: ${row.test.verdict}`);
  const untrained = rows.filter((row) => row.of && !row.test);
  const test = rows.find((row) => row.test)?.test;
  return html`${[...said, ...verdicts].map((text) => html`<p key=${text}>${text}</p>`)}
    ${untrained.length > 0 && html`<p class="faint">${untrained.map((row) => row.name).join(", ")}: not trained yet. ${meanwhile(search)}</p>`}
    ${test && html`<p class="faint">On ${count(test.images)} test images; guessing reaches ${percent(test.chance)}, always the commonest class ${percent(test.majority)}.
      The control is a random network of the winner's cost, trained by the same recipe.</p>`}`;
}

/** The accuracies that the intervals of all lie between, a little wider. @param {any[]} rows @returns {[number, number]} */
function spanOf(rows) {
  const ends = rows.flatMap((row) => row.test?.interval ?? []);
  if (!ends.length) return [0, 1];
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const room = Math.max(0.005, 0.05 * (most - least));
  return [Math.max(0, least - room), Math.min(1, most + room)];
}

/** An interval on the axis that all rows share, with the accuracy as a dot. @param {{test: any, span: [number, number], name: string}} props */
function Whiskers({ test, span: [least, most], name }) {
  if (!test) return html`<span class="faint">–</span>`;
  const at = (/** @type {number} */ share) => `${(100 * (share - least)) / (most - least)}%`;
  return html`<svg class="whiskers" role="img" aria-label="${name}: ${percent(test.accuracy)}, 95% interval ${interval(test.interval)}">
    <line class="whiskers-axis" x1="0" x2="100%" y1="50%" y2="50%" />
    <line class="whiskers-interval" x1=${at(test.interval[0])} x2=${at(test.interval[1])} y1="50%" y2="50%" />
    ${test.interval.map((/** @type {number} */ end) => html`<line class="whiskers-end" x1=${at(end)} x2=${at(end)} y1="25%" y2="75%" />`)}
    <circle cx=${at(test.accuracy)} cy="50%" r="4.5" />
  </svg>`;
}
