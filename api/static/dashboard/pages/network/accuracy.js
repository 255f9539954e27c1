// How good a network is: the accuracy and what it is worth, class by class, and which classes are taken for which.

import { exact, interval, loss as lossText, percent } from "../../format.js";
import { useResource } from "../../hooks.js";
import { Empty, Facts, Loading, Panel, ProblemNote } from "../../parts/basics.js";
import { Table } from "../../parts/table.js";
import { href } from "../../router.js";
import { html } from "../../view.js";
import { Confusion } from "./confusion.js";
import { called, Which } from "./trainings.js";

/** @param {{network: any, training: any, trainings: any[]}} props */
export function Accuracy({ network, training, trainings }) {
  if (!training) return html`<${Panel} title="Accuracy"><${Empty}>It was not trained yet. <a href=${href(["trainings", "new"], { architecture: network.id })}>Train it</a>, and its accuracy is here.</${Empty}></${Panel}>`;
  if (!training.test) return html`<${Panel} title="Accuracy" actions=${html`<${Which} training=${training} trainings=${trainings} />`}><${Empty}>
    ${training.test_accuracy === null ? `The training is ${training.state}: its accuracy is known when it has succeeded.` : `${percent(training.test_accuracy)}; an early version has trained it, which kept no more.`}
    ${" "}<a href=${href(["trainings", training.id])}>See the training.</a></${Empty}></${Panel}>`;
  return html`<${Worth} training=${training} trainings=${trainings} />
    <${Matrix} training=${training} /><${Classes} by=${training.by_class} />`;
}

/** @param {{training: any, trainings: any[]}} props */
function Worth({ training, trainings }) {
  const { test } = training;
  /** @type {[string, any][]} */
  const facts = [
    ["Accuracy", html`${percent(test.accuracy)} <span class="faint">${interval(test.interval)}</span>`],
    ["Test pictures", exact(test.images)],
    ["Mean over the classes", percent(test.balanced_accuracy)],
    ["Guessing reaches", percent(test.chance)],
    ["The commonest class alone", percent(test.majority)],
    ["Log-loss", `${lossText(test.log_loss)} nats`],
    ["Confidence is off by", percent(test.calibration_error)],
    ["Training", html`<a href=${href(["trainings", training.id])}>${called(training)}</a>`],
  ];
  return html`<${Panel} title="Accuracy" actions=${html`<${Which} training=${training} trainings=${trainings} />`}><${Facts} items=${facts} />
    ${test.verdict && html`<p class="note note-warn">It is ${test.verdict}: it cannot be told from one that does not look at the picture.</p>`}</${Panel}>`;
}

/** @param {{training: any}} props */
function Matrix({ training }) {
  const { data, problem } = useResource(training.by_class ? `trainings/${training.id}/confusion` : null);
  if (!training.by_class) return null;
  return html`<${Panel} title="Which class is taken for which"><${ProblemNote} of=${problem} />
    ${data ? html`<${Confusion} classes=${data.classes} matrix=${data.matrix} />` : !problem && html`<${Loading} />`}</${Panel}>`;
}

const COLUMNS = [
  { id: "name", label: "Class", cell: (/** @type {any} */ row) => row.name },
  { id: "recall", label: "Recognised", cell: (/** @type {any} */ row) => html`<span class="share"><meter min="0" max="1" value=${row.recall ?? 0} aria-label="Recognised of ${row.name}"></meter> ${percent(row.recall)}</span>` },
  { id: "interval", label: "95% interval", number: true, cell: (/** @type {any} */ row) => interval(row.interval) },
  { id: "right", label: "Right", number: true, cell: (/** @type {any} */ row) => `${exact(row.right)} of ${exact(row.images)}` },
  { id: "answered", label: "Answered", number: true, cell: (/** @type {any} */ row) => exact(row.answered) },
];

/** @param {{by: any}} props */
function Classes({ by }) {
  if (!by) return null;
  const fewer = by.classes > by.recalls.length;
  return html`<${Panel} title="Class by class">
    <p class="faint">The least recognised first${fewer && `, ${by.recalls.length} of ${exact(by.classes)}`}.</p>
    <${Table} caption="Accuracy class by class" columns=${COLUMNS} rows=${by.recalls.map((/** @type {any} */ row, /** @type {number} */ number) => ({ ...row, id: number }))} />
  </${Panel}>`;
}
