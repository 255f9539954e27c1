// What a training would take.

import { Facts, Panel } from "../../parts/basics.js";
import { count, duration, exact } from "../../format.js";
import { deviceName, Durations, EstimateHead, Warnings } from "../../form/estimated.js";
import { html } from "../../view.js";

const STEPS = { train: "train it", export: "export and check files" };

/** @param {{estimate: import("../../form/estimate.js").Estimated, lacking: import("../../form/context.js").FieldError[]}} props */
export function TrainingEstimate({ estimate, lacking }) {
  const { answer } = estimate;
  return html`<${Panel} title="What it would be">
    <${EstimateHead} estimate=${estimate} lacking=${lacking} />
    ${answer && !lacking.length && html`<div class=${estimate.problem ? "stale" : ""}>
      <p class="headline"><strong>About ${duration(answer.device_seconds)}</strong> on ${deviceName(answer.device)}</p>
      <${Warnings} of=${answer.warnings} />
      <${Facts} items=${[
        ["Multiply-adds", count(answer.flops)],
        ["Parameters", count(answer.params)],
        ["Epochs", exact(answer.spec.epochs)],
        ["Images", exact(answer.spec.dataset.num_train)],
        ["Recipe", answer.recipe.name],
      ]} />
      <p class="help">${answer.recipe.why}</p>
      <${Durations} steps=${answer.steps} named=${STEPS} />
    </div>`}
  </${Panel}>`;
}
