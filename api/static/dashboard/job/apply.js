// What an event changes in a job, as the API would tell of it when it is read anew. Pure: the job that is given stays as it is.

import { FINISHED } from "./kinds.js";

/** @typedef {import("../stream.js").Message} Message */

/** What a step has before anything more is known of it than that it is there. */
const NEW_STEP = { cells: [], network: null, done: 0, total: 0, unit: "", parts: [], device: null, engine_seconds: 0, values: {}, eta_seconds: null, error: null, started_at: null, finished_at: null };

/**
 * @param {any} job as `GET` of it answers
 * @param {Message} message an event of its stream
 * @returns {any}
 */
export function apply(job, message) {
  const changed = CHANGES[message.event]?.(job, message.data) ?? job;
  return { ...changed, last_event: Number(message.id) };
}

/** @type {Record<string, (job: any, data: any) => any>} */
const CHANGES = { state: stateChanged, step: stepChanged, progress: worked };

/** @param {any} job @param {any} data */
function stateChanged(job, data) {
  const { state, phase, cancel_requested, error, time } = data;
  const finished = FINISHED.has(state);
  return {
    ...job,
    state,
    phase,
    cancel_requested,
    error,
    waiting_for: state === "queued" ? job.waiting_for : null,
    queue_position: state === "queued" ? job.queue_position : null,
    started_at: job.started_at ?? (state === "running" ? time : null),
    finished_at: finished ? time : null,
    eta_seconds: finished ? null : job.eta_seconds,
    progress: state === "succeeded" ? 1 : job.progress,
  };
}

/** @param {any} job @param {any} data */
function stepChanged(job, data) {
  const { step: key, kind, phase, state, attempt, error, time } = data;
  const running = state === "running";
  const changes = {
    key,
    kind,
    phase,
    state,
    attempt,
    error,
    ...(running ? { started_at: time, finished_at: null } : { eta_seconds: null, parts: [] }),
    ...(FINISHED.has(state) ? { finished_at: time } : {}),
  };
  const known = job.steps.some((/** @type {any} */ step) => step.key === key);
  return known ? withStep(job, key, changes) : { ...job, steps: [...job.steps, { ...NEW_STEP, ...changes }] };
}

/** @param {any} job @param {any} data */
function worked(job, data) {
  const { step, done, total, unit, parts, eta_seconds, phase, progress, job_eta_seconds } = data;
  return withStep({ ...job, phase, progress, eta_seconds: job_eta_seconds }, step, { done, total, unit, parts, eta_seconds });
}

/** @param {any} job @param {string} key @param {object} changes */
const withStep = (job, key, changes) => ({
  ...job,
  steps: job.steps.map((/** @type {any} */ step) => (step.key === key ? { ...step, ...changes } : step)),
});
