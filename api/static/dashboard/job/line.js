// A line of a log: what workers and engines wrote, with whatever characters that has.

import { local, plain, utc } from "../format.js";
import { html } from "../view.js";
import { FINISHED, PHASES } from "./kinds.js";

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/**
 * An event as a line: what was written, or in words what has changed.
 * @param {{type: string, data: any}} event
 * @returns {{time: string, step: string | null, level: string, message: string}}
 */
export function lineOf({ type, data }) {
  if (type === "log") return data;
  const { time, state, error } = data;
  const level = state === "failed" ? "error" : "event";
  const why = error ? `: ${error.message}` : "";
  if (type === "step") return { time, step: data.step, level, message: `${SAID[state] ?? state}${data.attempt > 1 ? `, attempt ${data.attempt}` : ""}${why}` };
  const now = state === "running" ? `${BECAME.running}, in the phase ${PHASES[data.phase] ?? data.phase}` : (BECAME[state] ?? state);
  return { time, step: null, level, message: `${now}${data.cancel_requested && !FINISHED.has(state) ? ", and was asked to stop" : ""}${why}` };
}

/** @type {Record<string, string>} What became of a job. */
const BECAME = { queued: "It waits", running: "It runs", succeeded: "It has succeeded", failed: "It has failed", cancelled: "It was cancelled" };

/** @type {Record<string, string>} What a step does in a state. */
const SAID = { queued: "waits for a worker", running: "begins", succeeded: "is done", failed: "failed", cancelled: "was stopped" };

/** @param {{line: {time: string, step: string | null, level: string, message: string}}} props */
export const Line = ({ line: { time, step, level, message } }) => html`<p class="log-line log-${level}">
  <time datetime=${time} title="${local(time)}\n${utc(time)}">${CLOCK.format(new Date(time))}</time>
  <span class="log-step">${step ?? ""}</span>
  <span class="log-message">${["warning", "error"].includes(level) && html`<strong>${level}: </strong>`}${plain(message)}</span>
</p>`;
