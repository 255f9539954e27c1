// What a tuning would take.

import { Facts, Panel } from "../../parts/basics.js";
import { count, duration, exact } from "../../format.js";
import { deviceName, EstimateHead, Warnings } from "../../form/estimated.js";
import { html } from "../../view.js";

/** @param {{estimate: import("../../form/estimate.js").Estimated, lacking: import("../../form/context.js").FieldError[]}} props */
export function TuningEstimate({ estimate, lacking }) {
  const { answer } = estimate;
  return html`<${Panel} title="What it would be">
    <${EstimateHead} estimate=${estimate} lacking=${lacking} />
    ${answer && !lacking.length && html`<div class=${estimate.problem ? "stale" : ""}>
      <p class="headline"><strong>At most ${duration(answer.device_seconds)}</strong> on ${deviceName(answer.device)}</p>
      <p>${exact(answer.trials)} trials of about ${duration(answer.trial_seconds)} each, less where they are ended early${answer.workers > 1 ? `; ${answer.workers} workers share them` : ""}.</p>
      <${Warnings} of=${answer.warnings} />
      <${Facts} items=${[
        ["Decided by", `${exact(answer.images)} images held out`],
        ["Epochs a trial", exact(answer.spec.epochs)],
        ["Multiply-adds", count(answer.flops)],
        ["Parameters", count(answer.params)],
      ]} />
      ${answer.basis === "default" && html`<p class="help">The time is a guess from another machine: the first trials that end here make it exact.</p>`}
    </div>`}
  </${Panel}>`;
}
