// Parts of an estimate that all kinds of jobs have.

import { duration, percent } from "../format.js";
import { Empty } from "../parts/basics.js";
import { html } from "../view.js";
import { useForm } from "./context.js";
import { Mend } from "./mend.js";

/** @param {string} device */
export const deviceName = (device) => ({ cpu: "a CPU", cuda: "a GPU" })[device] ?? device;

/**
 * What stands in place of an estimate, or above an old one. What is wrong with a field is said there.
 * @param {{estimate: import("./estimate.js").Estimated, lacking: import("./context.js").FieldError[]}} props
 */
export function EstimateHead({ estimate, lacking }) {
  const { errors } = useForm();
  const { problem, answer } = estimate;
  const before = problem && answer ? " Below is what it was before." : "";
  if (errors.length) return html`<div class="note note-bad"><${Mend} errors=${errors} />${before && html`<p>${before}</p>`}</div>`;
  if (lacking.length) return html`<${Empty}>${lacking[0].detail} Then you see here what it would be, as you write.</${Empty}>`;
  if (problem) return html`<p class="note note-bad" role="status">${problem.message}${before}</p>`;
  return html`<p class="unseen" role="status">${estimate.busy ? "Estimating" : "Estimated"}</p>${!estimate.answer && html`<${Empty}>Estimating …</${Empty}>`}`;
}

/** @param {{of: string[]}} props */
export const Warnings = ({ of }) => of.map((text) => html`<p class="note note-warn" key=${text}>${text}</p>`);

const PHASES = /** @type {Record<string, string>} */ ({
  teacher: "train the teacher",
  distill: "distil the blocks",
  rate: "rate the candidates",
  latency: "measure latency",
  finalist: "try the finalists",
  select: "select",
  train: "train the winner and what it is compared with",
  export: "export and check files",
  pictures: "draw pictures",
});

/** Device time by phase; `named` says some of them otherwise. @param {{steps: any[], named?: Record<string, string>}} props */
export function Durations({ steps, named = {} }) {
  const names = { ...PHASES, ...named };
  /** @type {Map<string, {seconds: number, steps: number, measured: boolean}>} */
  const phases = new Map();
  for (const step of steps) {
    const { seconds, steps, measured } = phases.get(step.kind) ?? { seconds: 0, steps: 0, measured: true };
    phases.set(step.kind, { seconds: seconds + step.device_seconds, steps: steps + 1, measured: measured && step.basis === "measured" });
  }
  const most = Math.max(...[...phases.values()].map(({ seconds }) => seconds));
  const total = [...phases.values()].reduce((sum, { seconds }) => sum + seconds, 0);
  const guessed = [...phases.values()].some(({ measured }) => !measured);
  return html`<table class="durations">
      <caption>Device time by phase</caption>
      <tbody>${[...phases].map(([kind, { seconds }]) => html`<tr key=${kind}>
        <th scope="row">${names[kind] ?? kind}</th>
        <td class="time-bar"><svg width="100%" height="8" aria-hidden="true"><rect width=${`${(100 * seconds) / (most || 1)}%`} height="8" rx="2" /></svg></td>
        <td class="number" title=${percent(seconds / (total || 1), 0)}>${duration(seconds)}</td>
      </tr>`)}</tbody>
    </table>
    ${guessed && html`<p class="help">Some of it is a guess from another machine: the first jobs that end here make it exact. Several workers share the work.</p>`}`;
}
