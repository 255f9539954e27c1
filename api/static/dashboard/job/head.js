// The head of a job's page: what it is called, how it stands, what holds it up or went wrong, and what can be done to it.

import { count, duration, progress } from "../format.js";
import { useTick } from "../hooks.js";
import { Age, Labels, State } from "../parts/basics.js";
import { href } from "../router.js";
import { html } from "../view.js";
import { Actions } from "./actions.js";
import { Failure } from "./failure.js";
import { FINISHED, KINDS, PHASES } from "./kinds.js";
import { PriorityMark } from "./priority.js";

/**
 * @param {object} props
 * @param {import("./kinds.js").Kind} props.kind
 * @param {{job: any, at: number, following: import("./following.js").Following}} props.live as `useJob` gives it
 */
export function JobHead({ kind, live }) {
  const { job, at } = live;
  return html`<div class="head job-head">
      <h1><bdi>${job.name || job.id}</bdi></h1>
      <div class="actions"><${Actions} kind=${kind} job=${job} following=${live.following} /></div>
    </div>
    <div class="job-facts">
      <${State} of=${job.state} cancelling=${job.cancel_requested} />
      <${Going} job=${job} at=${at} />
      <span class="faint">asked for <${Age} at=${job.created_at} />${job.created_by && html` by <bdi>${job.created_by}</bdi>`}${job.project && html` in project <bdi>${job.project}</bdi>`}</span>
      ${job.cloned_from && html`<a href=${href([KINDS[kind].path, job.cloned_from])}>cloned from another</a>`}
      <${PriorityMark} of=${job.priority} />
      <${Labels} of=${job.labels} />
    </div>
    <${Waits} job=${job} />
    <${Failure} kind=${kind} job=${job} following=${live.following} />`;
}

/** How far it is, and how long it takes; the time left counts down between two events. @param {{job: any, at: number}} props */
function Going({ job, at }) {
  useTick(1);
  if (FINISHED.has(job.state)) return html`<span>${took(job)}${job.finished_at && html`, <${Age} at=${job.finished_at} />`}</span>`;
  if (job.state === "queued") return null;
  const left = job.eta_seconds === null ? null : Math.max(0, job.eta_seconds - (Date.now() - at) / 1000);
  return html`<span class="job-going">
    <progress max="1" value=${job.progress} aria-label="Progress"></progress>
    <span class="number">${progress(job.progress)}</span>
    <span>${PHASES[job.phase]}</span>
    <span class="faint">${job.cancel_requested ? "stops within seconds" : left === null ? "time left not known yet" : `${duration(Math.round(left))} left`}</span>
  </span>`;
}

/** @param {any} job that has ended */
function took(job) {
  if (!job.started_at || !job.finished_at) return "never begun";
  const said = job.state === "cancelled" ? "cancelled after" : "took";
  return `${said} ${duration((Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000)}`;
}

/** Why nothing of it runs. @param {{job: any}} props */
function Waits({ job: { state, waiting_for, queue_position } }) {
  if (FINISHED.has(state) || !(waiting_for || queue_position)) return null;
  const place = queue_position ? `, as ${queue_position === 1 ? "the next" : `number ${count(queue_position)}`} of those that wait` : "";
  return html`<div class="note note-warn" role="status">
    It ${state === "queued" ? "begins" : "goes on"} by itself${place}${waiting_for && `: it waits for ${waiting_for}`}. <a href="#/workers">See the workers.</a>
  </div>`;
}
