// The trials as a table: what each tried and what came of it.

import { duration, loss, percent } from "../../format.js";
import { Empty, State } from "../../parts/basics.js";
import { Table } from "../../parts/table.js";
import { html, useState } from "../../view.js";
import { valueOf } from "./data.js";

/** @typedef {import("./data.js").Trial} Trial */

/** @param {{trials: Trial[], fields: string[]}} props `fields` that were tried */
export function Trials({ trials, fields }) {
  const [sort, setSort] = useState("number");
  if (!trials.length) return html`<${Empty}>No trial is like that.</${Empty}>`;
  const field = sort.replace(/^-/, "");
  const direction = sort.startsWith("-") ? -1 : 1;
  const rows = [...trials].sort((one, other) => direction * compare(sortable(one, field), sortable(other, field))).map((trial) => ({ ...trial, id: String(trial.number) }));
  return html`<${Table} caption="Trials" columns=${columns(fields)} rows=${rows} sort=${sort} onSort=${setSort} />`;
}

/** @param {Trial} trial @param {string} field */
const sortable = (trial, field) => (field === "number" ? trial.number : field === "seconds" ? trial.engine_seconds : valueOf(trial, field));

/** What is not known comes last, however it is sorted. @param {any} one @param {any} other */
function compare(one, other) {
  if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1;
  return one < other ? -1 : one > other ? 1 : 0;
}

/** @param {string[]} fields @returns {import("../../parts/table.js").Column[]} */
const columns = (fields) => [
  { id: "number", label: "Trial", sort: "number", number: true, cell: (trial) => trial.number },
  { id: "state", label: "State", cell: (trial) => html`<${State} of=${trial.state} />${trial.error && html`<div class="faint">${trial.error.message}</div>`}` },
  { id: "value", label: "Accuracy", sort: "accuracy", number: true, cell: (trial) => percent(trial.value) },
  ...fields.map((field) => ({ id: field, label: field, sort: field, number: true, cell: (/** @type {Trial} */ trial) => shown(trial.params?.[field]) })),
  { id: "epochs", label: "Epochs", number: true, cell: (trial) => trial.epochs },
  { id: "seconds", label: "Device time", sort: "seconds", number: true, cell: (trial) => duration(trial.engine_seconds) },
  { id: "device", label: "Device", cell: (trial) => trial.device ?? "–" },
];

/** @param {import("./data.js").Value | undefined} value */
const shown = (value) => (typeof value === "number" ? loss(value) : value === undefined ? "–" : String(value));
