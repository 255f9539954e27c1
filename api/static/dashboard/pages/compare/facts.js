// What came of each search.

import { between, count, duration, interval, latency, loss, percent } from "../../format.js";
import { FINISHED } from "../../job/kinds.js";
import { Age, Progress, State } from "../../parts/basics.js";
import { href } from "../../router.js";
import { html } from "../../view.js";
import { title } from "../network/called.js";
import { Budget } from "../searches/columns.js";
import { SideBySide } from "./table.js";

/** @type {[string, (search: any) => any][]} what is said, and what of a search it is */
const SAID = [
  ["State", (search) => html`<${State} of=${search.state} cancelling=${search.cancel_requested} />`],
  ["Why", (search) => search.error?.message ?? search.waiting_for],
  ["Progress", (search) => html`<${Progress} value=${search.progress} over=${FINISHED.has(search.state)} label="Progress of ${search.name}" />`],
  ["Asked for", (search) => html`<${Age} at=${search.created_at} />`],
  ["Took", (search) => search.started_at && duration(between(search.started_at, search.finished_at))],
  ["Engines worked", (search) => duration(search.steps.reduce((/** @type {number} */ sum, /** @type {any} */ step) => sum + step.engine_seconds, 0))],
  ["Dataset", (search) => search.dataset],
  ["Teacher", (search) => search.spec.teacher.model],
  ["Budget", (search) => html`<${Budget} of=${search.spec.budget} />`],
  ["Winner’s accuracy", (search) => accuracy(network(search, "winner"))],
  ["Control’s accuracy", (search) => accuracy(network(search, "control"))],
  ["Winner beside control", (search) => search.comparison?.says],
  ["Predicted loss", (search) => number(search.best?.loss, loss)],
  ["FLOPs", (search) => number(search.best?.flops, count)],
  ["Parameters", (search) => number(search.best?.params, count)],
  ["Latency", (search) => number(search.best?.latency_ns, latency)],
  ["Network", (search) => search.best && html`<a href=${href(["networks", search.best.architecture_id])}>${title({ ...network(search, "winner"), search: search.name })}</a>`],
];

/** @param {any} value @param {(value: any) => string} format */
const number = (value, format) => value !== null && value !== undefined && html`<span class="number">${format(value)}</span>`;

/** @param {any} search @param {string} role */
const network = (search, role) => search.architectures.find((/** @type {any} */ one) => one.role === role);

/** @param {any} trained */
function accuracy(trained) {
  if (trained?.test_accuracy === null || trained?.test_accuracy === undefined) return null;
  return html`<strong>${percent(trained.test_accuracy)}</strong>${trained.test && html` <span class="faint" title="95% interval">${interval(trained.test.interval)}</span>`}`;
}

/** @param {{searches: any[]}} props */
export function Facts({ searches }) {
  const lines = SAID.map(([label, of]) => ({ id: label, label, cells: searches.map(of) }))
    .filter(({ cells }) => cells.some(Boolean))
    .map((line) => ({ ...line, cells: line.cells.map((cell) => cell || html`<span class="faint">–</span>`) }));
  return html`<${SideBySide} caption="What came of them" searches=${searches} lines=${lines} />`;
}
