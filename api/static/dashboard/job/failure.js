// Why a job failed: the message, the step, the last lines of its log, and what to do.

import { plain } from "../format.js";
import { useResource } from "../hooks.js";
import { href, usePlace } from "../router.js";
import { html } from "../view.js";
import { KINDS, resumable } from "./kinds.js";
import { Line } from "./line.js";

/** Lines of the log beside the error. */
const LINES = 8;

/** @param {{kind: import("./kinds.js").Kind, job: any, following: import("./following.js").Following}} props */
export function Failure({ kind, job, following }) {
  const { path } = usePlace();
  if (job.state !== "failed" || !job.error) return null;
  const { message, step, param, code } = job.error;
  return html`<div class="note note-bad job-failure" role="alert">
    <p><strong>${plain(message)}</strong></p>
    <p class="faint">
      ${step && html`In step <a href=${href(path, { tab: "log", step })}>${step}</a>. `}${param && html`At fault is <code>${param}</code> of the spec. `}
      Kind of failure: <code>${code}</code>.
    </p>
    <p>${advice(kind, job)}</p>
    <${LastLines} key=${job.finished_at} path=${following.path} step=${step} />
  </div>`;
}

/** What to do, where the message does not say it. @param {import("./kinds.js").Kind} kind @param {any} job */
function advice(kind, job) {
  const { param } = job.error;
  const clone = html`<a href=${href([KINDS[kind].path, "new"], { from: job.id, field: param })}>clone it</a>`;
  if (param) return html`To go on, ${clone} with another value of <code>${param}</code>: the spec of a job never changes.`;
  if (!resumable(job)) return html`The spec of a job never changes: to go on, ${clone} with another.`;
  return html`When the cause is mended, resume it: it goes on from its last checkpoint, and what is done is kept. To ask for something else, ${clone}.`;
}

/** @param {{path: string, step: string | null}} props */
function LastLines({ path, step }) {
  const { data } = useResource(`${path}/events/list`, { type: "log", step, sort: "-seq", limit: LINES });
  if (!data?.items.length) return null;
  const lines = [...data.items].reverse();
  return html`<details>
    <summary>The last lines of its log</summary>
    <div class="log-lines">${lines.map((event) => html`<${Line} key=${event.seq} line=${event.data} />`)}</div>
  </details>`;
}
