// The phases of a job as a row: what is done and how long it took, what runs, what is to come.

import { between, duration, percent } from "../format.js";
import { useTick } from "../hooks.js";
import { html } from "../view.js";
import { FINISHED, KINDS, OPTIONAL, PHASES } from "./kinds.js";

/** @typedef {{name: string, state: "done" | "running" | "waiting" | "failed" | "cancelled" | "to come", seconds: number | null, done: number}} Stretch */

/** @type {Record<Stretch["state"], string>} */
const MARKS = { done: "✓", running: "◐", waiting: "○", failed: "✕", cancelled: "◌", "to come": "" };

/** @param {{kind: import("./kinds.js").Kind, job: any}} props */
export function Phases({ kind, job }) {
  useTick(FINISHED.has(job.state) ? 3600 : 1);
  return html`<ol class="phases" aria-label="Phases">
    ${stretches(kind, job).map(({ name, state, seconds, done }) => html`<li key=${name} class="phase phase-${state.replace(" ", "-")}" aria-current=${state === "running" ? "step" : null}>
      <span class="phase-name"><span aria-hidden="true">${MARKS[state]}</span> ${PHASES[name] ?? name}<span class="unseen">: ${state}</span></span>
      <span class="phase-time">${seconds === null ? (state === "to come" ? "" : state) : duration(seconds)}${state === "running" && ` · ${percent(done, 0)}`}</span>
      <span class="phase-bar" aria-hidden="true"><span style=${{ width: `${100 * done}%` }}></span></span>
    </li>`)}
  </ol>`;
}

/**
 * @param {import("./kinds.js").Kind} kind
 * @param {any} job
 * @returns {Stretch[]}
 */
export function stretches(kind, job) {
  const all = KINDS[kind].phases.filter((name) => !OPTIONAL.has(name) || job.phase === name || job.steps.some((/** @type {any} */ step) => step.phase === name));
  const now = all.indexOf(job.phase);
  // The steps of a tuning are not all there: its trials are too many.
  if (all.length === 1) return [{ name: all[0], state: stateOf(job, 0, [job]), seconds: job.started_at && between(job.started_at, job.finished_at), done: job.progress }];
  return all.map((name, place) => {
    const steps = job.steps.filter((/** @type {any} */ step) => step.phase === name);
    const state = stateOf(job, place - now, steps);
    return { name, state, seconds: elapsed(steps), done: state === "done" ? 1 : share(steps) };
  });
}

/**
 * @param {any} job
 * @param {number} ahead of the phase that the job is at
 * @param {any[]} steps of the phase
 * @returns {Stretch["state"]}
 */
function stateOf(job, ahead, steps) {
  if (ahead < 0 || job.state === "succeeded") return "done";
  if (ahead > 0) return "to come";
  if (job.state === "failed" || job.state === "cancelled") return job.state;
  return steps.some((step) => step.started_at) ? "running" : "waiting";
}

/** From the first of the steps on to the end of the last, or until now. @param {any[]} steps */
function elapsed(steps) {
  const begun = steps.filter((step) => step.started_at);
  if (!begun.length) return null;
  const first = begun.map((step) => step.started_at).reduce((one, other) => (one < other ? one : other));
  const ends = begun.map((step) => (step.state === "running" ? null : step.finished_at));
  if (ends.includes(null)) return between(first);
  return between(first, ends.reduce((one, other) => (one > other ? one : other)));
}

/** How much of the steps is done, 0 to 1. @param {any[]} steps */
function share(steps) {
  if (!steps.length) return 0;
  return steps.reduce((sum, step) => sum + (step.state === "succeeded" ? 1 : step.total ? step.done / step.total : 0), 0) / steps.length;
}
