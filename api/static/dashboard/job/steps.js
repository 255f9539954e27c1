// The steps of a job: the units of its work, as a table.

import { duration, percent, plain } from "../format.js";
import { useTick } from "../hooks.js";
import { Empty, State } from "../parts/basics.js";
import { Table } from "../parts/table.js";
import { href, usePlace } from "../router.js";
import { html, useMemo } from "../view.js";

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { id: "key", label: "Step", cell: (step) => html`<${ToLog} step=${step.key} />` },
  { id: "state", label: "State", cell: (step) => html`<${State} of=${step.state} />` },
  { id: "about", label: "Works on", cell: (step) => step.network ?? (step.cells.length ? step.cells.join(" ") : "the whole") },
  { id: "progress", label: "Done", number: true, cell: done },
  { id: "left", label: "Time left", number: true, cell: (step) => (step.state === "running" && step.eta_seconds !== null ? html`<${Left} seconds=${step.eta_seconds} />` : "–") },
  { id: "took", label: "Engine time", number: true, cell: (step) => (step.engine_seconds ? duration(step.engine_seconds) : "–") },
  { id: "device", label: "Device", cell: (step) => step.device ?? (step.queue === "cpu" ? "needs none" : "–") },
  { id: "attempt", label: "Attempt", number: true, cell: (step) => (step.attempt ? `${step.attempt} of ${step.max_attempts ?? "–"}` : "–") },
  { id: "error", label: "Error", cell: (step) => plain(step.error?.message ?? "") },
];

/** @param {{steps: any[]}} props */
export function Steps({ steps }) {
  if (!steps.length) return html`<${Empty}>No step is planned at the moment.</${Empty}>`;
  const columns = steps.some((step) => step.error) ? COLUMNS : COLUMNS.filter(({ id }) => id !== "error");
  return html`<${Table} caption="Steps" columns=${columns} rows=${steps.map((step) => ({ ...step, id: step.key }))} />`;
}

/** @param {{step: string}} props */
function ToLog({ step }) {
  const { path } = usePlace();
  return html`<a href=${href(path, { tab: "log", step })}>${step}</a>`;
}

/** @param {any} step */
function done(step) {
  if (step.state === "succeeded") return "100%";
  if (!step.total) return "–";
  return html`${percent(step.done / step.total, 0)}<br /><span class="faint">${step.done} of ${step.total} ${step.unit}</span>`;
}

/** Seconds that were left when that was said, counted down. @param {{seconds: number}} props */
function Left({ seconds }) {
  useTick(1);
  const said = useMemo(() => Date.now(), [seconds]);
  return duration(Math.max(0, Math.round(seconds - (Date.now() - said) / 1000)));
}
