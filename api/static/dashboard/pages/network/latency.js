// How long one picture takes, as workers have measured it, and a new measurement.

import { useMay } from "../../caller.js";
import { post } from "../../client.js";
import { useResource } from "../../hooks.js";
import { Age, Empty, Panel, ProblemNote, State } from "../../parts/basics.js";
import { Act } from "../../parts/dialog.js";
import { Table } from "../../parts/table.js";
import { html, useEffect } from "../../view.js";
import { isStandard } from "./actions.js";

/** While one is measured it is looked at so often. Milliseconds. */
const LOOK = 1500;

const COLUMNS = [
  { id: "state", label: "State", cell: (/** @type {any} */ row) => html`<span><${State} of=${row.state} />${waits(row)}</span>` },
  { id: "torch", label: "torch", number: true, cell: (/** @type {any} */ row) => html`<${Timed} of=${row.torch} />` },
  { id: "device", label: "on", cell: (/** @type {any} */ row) => row.device ?? "–" },
  { id: "onnxruntime", label: "onnxruntime", number: true, cell: (/** @type {any} */ row) => html`<${Timed} of=${row.onnxruntime} />` },
  { id: "cpu", label: "on", cell: (/** @type {any} */ row) => (row.cpu ? `${row.cpu}, ${row.threads} ${row.threads === 1 ? "thread" : "threads"}` : "–") },
  { id: "age", label: "Asked for", cell: (/** @type {any} */ row) => html`<${Age} at=${row.created_at} />` },
];

/** @param {any} row */
const waits = (row) => {
  const why = row.error?.message ?? row.warnings[0] ?? row.waiting_for;
  return why ? html` <span class="faint">${why}</span>` : null;
};

/** @param {{of: any}} props */
const Timed = ({ of }) => (of ? html`<span title="${of.runs} runs">${of.median_ms.toPrecision(3)} ms <span class="faint">95%: ${of.p95_ms.toPrecision(3)}</span></span>` : html`<span class="faint">–</span>`);

/** @param {{network: any}} props */
export function Latency({ network }) {
  const standard = isStandard(network);
  const mayRun = useMay("run");
  const path = `architectures/${network.id}/latency`;
  const { data, problem, reload } = useResource(standard ? null : path, { limit: 20 });
  const open = (data?.items ?? []).some((/** @type {any} */ timing) => timing.state === "queued" || timing.state === "running");
  useEffect(() => {
    if (!open) return;
    const looking = setInterval(reload, LOOK);
    return () => clearInterval(looking);
  }, [open, reload]);
  if (standard) return null;
  const measure = async () => {
    await post(path);
    await reload();
  };
  return html`<${Panel} title="Latency" actions=${mayRun && html`<${Act} verb="Measure it" act=${measure} disabled=${open} />`}>
    <${ProblemNote} of=${problem} />
    ${data?.items.length ? html`<${Table} caption="Measurements" columns=${COLUMNS} rows=${data.items} />` : html`<${Empty}>It was not measured yet. A worker times it whole, one picture at a time, in full precision.</${Empty}>`}
  </${Panel}>`;
}
