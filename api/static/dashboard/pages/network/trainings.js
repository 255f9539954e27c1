// The trainings of a network. One of them is the one whose accuracy and files the page shows.

import { exact, interval, percent } from "../../format.js";
import { useResource } from "../../hooks.js";
import { Age, Empty, Loading, Panel, State } from "../../parts/basics.js";
import { Table } from "../../parts/table.js";
import { ask, href } from "../../router.js";
import { html } from "../../view.js";

/**
 * The training that shows: the one of the address, or that of the network's search, or the last that has succeeded.
 * @param {any[]} trainings newest first
 * @param {string | null} asked
 */
export const chosen = (trainings, asked) =>
  trainings.find((training) => training.id === asked) ??
  trainings.find((training) => training.search_id && training.state === "succeeded") ??
  trainings.find((training) => training.state === "succeeded") ??
  trainings[0] ??
  null;

/** All that is known of it. @param {any} summary */
export function useTraining(summary) {
  const { data } = useResource(summary && `trainings/${summary.id}`);
  return { training: data ?? summary };
}

/** @param {any} training */
export const called = (training) => `${training.search_id ? "with its search" : training.name || training.id.slice(-8)}, on ${training.dataset}`;

/** Which training shows, where there are several. @param {{training: any, trainings: any[]}} props */
export function Which({ training, trainings }) {
  if (trainings.length < 2) return null;
  return html`<label class="inline">Trained <select value=${training?.id} onChange=${(/** @type {any} */ event) => ask({ training: event.target.value })}>
    ${trainings.map((one) => html`<option key=${one.id} value=${one.id} selected=${one.id === training?.id}>${called(one)} (${one.test_accuracy === null ? one.state : percent(one.test_accuracy)})</option>`)}
  </select></label>`;
}

const COLUMNS = [
  { id: "state", label: "State", cell: (/** @type {any} */ row) => html`<${State} of=${row.state} cancelling=${row.cancel_requested} />` },
  { id: "name", label: "Training", cell: (/** @type {any} */ row) => html`<a href=${href(["trainings", row.id])}>${row.name || row.id.slice(-8)}</a>${row.search_id && html` <span class="faint">with its search</span>`}` },
  { id: "dataset", label: "Dataset", cell: (/** @type {any} */ row) => row.dataset },
  { id: "accuracy", label: "Accuracy", number: true, cell: (/** @type {any} */ row) => html`${percent(row.test_accuracy)} ${row.test && html`<span class="faint">${interval(row.test.interval)}</span>`}` },
  { id: "images", label: "Test pictures", number: true, cell: (/** @type {any} */ row) => exact(row.test?.images) },
  { id: "age", label: "Asked for", cell: (/** @type {any} */ row) => html`<${Age} at=${row.created_at} />` },
];

/** @param {{network: any, trainings: any[], known: boolean}} props */
export const Trainings = ({ network, trainings, known }) => html`<${Panel} title="Trainings">
  ${!known ? html`<${Loading} />` : trainings.length ? html`<${Table} caption="Trainings of this network" columns=${COLUMNS} rows=${trainings} />`
    : html`<${Empty}>It was not trained yet. <a href=${href(["trainings", "new"], { architecture: network.id })}>Train it</a> on a dataset of yours.</${Empty}>`}
</${Panel}>`;
