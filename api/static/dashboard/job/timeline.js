// When what was done, by which worker, and how it ended: every attempt at every step as a bar, and as a table.

import { get, Problem } from "../client.js";
import { now } from "../clock.js";
import { duration, plain } from "../format.js";
import { useTick } from "../hooks.js";
import { Empty, Loading, Panel, ProblemNote, Time } from "../parts/basics.js";
import { Table } from "../parts/table.js";
import { html, useCallback, useEffect, useState } from "../view.js";
import { Bars } from "./bars.js";
import { useEvents } from "./hooks.js";
import { FINISHED } from "./kinds.js";
import { Phases } from "./phases.js";
import { Steps } from "./steps.js";

/** Most attempts that are read: more bars than anybody could tell apart. */
const MOST = 2000;

/** What came of an attempt, in words. @type {Record<string, string>} */
const ENDS = {
  running: "running",
  succeeded: "succeeded",
  failed: "failed",
  lost: "lost",
  cancelled: "cancelled",
  released: "given back with a checkpoint",
};

const LOST = "nothing was heard of its worker any more";

/** @param {{kind: import("./kinds.js").Kind, job: any, following: import("./following.js").Following}} props */
export function Timeline({ kind, job, following }) {
  return html`<${Phases} kind=${kind} job=${job} />
    <${Panel} title="Who did what, when"><${Attempts} job=${job} following=${following} /></${Panel}>
    <${Panel} title="Steps"><${Steps} steps=${job.steps} /></${Panel}>`;
}

/** @param {{job: any, following: import("./following.js").Following}} props */
function Attempts({ job, following }) {
  const { attempts, problem, reload } = useAttempts(following);
  useTick(FINISHED.has(job.state) ? 3600 : 1);
  if (problem) return html`<${ProblemNote} of=${problem} retry=${reload} />`;
  if (!attempts) return html`<${Loading} what="Reading the timeline" />`;
  if (!attempts.length) return html`<${Empty}>No worker has taken a step of it yet. ${job.waiting_for ? `It waits for ${job.waiting_for}.` : ""}</${Empty}>`;
  const names = workerNames(attempts);
  const rows = attempts.map((attempt) => told(attempt, names));
  return html`<${Bars} label="Attempts at steps by worker" bars=${rows} />
    ${rows.length === MOST && html`<p class="faint">The first ${MOST} attempts; there are more.</p>`}
    <details class="as-table"><summary>As a table</summary>
      <${Table} caption="Attempts at steps" columns=${COLUMNS} rows=${rows} />
    </details>`;
}

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { id: "label", label: "Step", cell: (row) => row.label },
  { id: "attempt", label: "Attempt", number: true, cell: (row) => row.attempt },
  { id: "outcome", label: "Outcome", cell: (row) => row.end },
  { id: "group", label: "Worker", cell: (row) => row.group },
  { id: "from", label: "Began", cell: (row) => html`<${Time} at=${new Date(row.from).toISOString()} />` },
  { id: "seconds", label: "Took", number: true, cell: (row) => row.took },
  { id: "engine", label: "Engine time", number: true, cell: (row) => row.engine },
];

/**
 * An attempt as a bar.
 * @param {any} attempt
 * @param {Map<string, string>} names of the workers by id
 */
function told({ step, key, attempt, worker, started_at, finished_at, outcome, reason, engine_seconds }, names) {
  const from = Date.parse(started_at);
  const to = finished_at ? Date.parse(finished_at) : Math.max(from, now());
  const group = names.get(worker?.id) ?? "a worker that is not known any more";
  const took = duration((to - from) / 1000);
  const end = ENDS[outcome] ?? outcome;
  const why = outcome === "lost" ? `: ${LOST}` : reason ? `: ${reason}` : "";
  const says = `${key}, attempt ${attempt} on ${group}: ${end}, ${outcome === "running" ? "for" : "after"} ${took}${why}`;
  return { id: `${step} ${started_at}`, label: key, attempt, outcome, end: `${end}${why}`, group, from, to, took, engine: duration(engine_seconds), says };
}

/** What tells the workers apart: machine and device, and where two have both, the end of the id. @param {any[]} attempts */
function workerNames(attempts) {
  const workers = new Map(attempts.filter(({ worker }) => worker).map(({ worker }) => [worker.id, worker]));
  const name = (/** @type {any} */ { hostname, device }) => plain(`${hostname} · ${device}`);
  const all = [...workers.values()].map(name);
  return new Map([...workers].map(([id, worker]) => [id, all.filter((one) => one === name(worker)).length > 1 ? `${name(worker)} · …${id.slice(-4)}` : name(worker)]));
}

/**
 * All attempts, read anew when a step has changed.
 * @param {import("./following.js").Following} following
 */
function useAttempts(following) {
  const [state, setState] = useState({ attempts: /** @type {any[] | null} */ (null), problem: /** @type {Problem | null} */ (null) });
  const reload = useCallback(async () => {
    try {
      setState({ attempts: await all(`${following.path}/timeline`), problem: null });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setState((/** @type {any} */ before) => ({ ...before, problem: error }));
    }
  }, [following]);
  useEffect(() => void reload(), [reload]);
  useEvents(following, ["step"], reload);
  return { ...state, reload };
}

/** @param {string} path of a list */
async function all(path) {
  /** @type {any[]} */
  const found = [];
  let cursor = null;
  do {
    const page = await get(path, { limit: 200, cursor });
    found.push(...page.items);
    cursor = page.next;
  } while (cursor && found.length < MOST);
  return found;
}
