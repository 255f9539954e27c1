// What a search would be: candidates, feasible costs with the budget on them, device time, why by which recipe, what weakens it.

import { count, duration, exact, milliseconds } from "../../format.js";
import { Facts, Panel } from "../../parts/basics.js";
import { html } from "../../view.js";
import { deviceName, Durations, EstimateHead, Warnings } from "../../form/estimated.js";

/** @param {{estimate: import("../../form/estimate.js").Estimated, lacking: import("../../form/context.js").FieldError[]}} props */
export function SearchEstimate({ estimate, lacking }) {
  const { answer } = estimate;
  return html`<${Panel} title="What it would be">
    <${EstimateHead} estimate=${estimate} lacking=${lacking} />
    ${answer && !lacking.length && html`<div class=${estimate.problem ? "stale" : ""}>
      <p class="headline"><strong>About ${duration(answer.device_seconds)}</strong> on ${deviceName(answer.device)}</p>
      <${Feasible} answer=${answer} />
      ${Object.entries(answer.feasible_range).map(([name, range]) => html`<${Range} key=${name} name=${name} range=${range} limit=${answer.spec.budget[name]} />`)}
      <${Latency} limit=${answer.spec.budget.latency_ms} />
      <${Warnings} of=${answer.warnings} />
      <${Facts} items=${[
        ["Candidates", `${count(Number(answer.candidates))} networks`],
        ["Rated", `${exact(answer.paths)} paths, exactly`],
        ["Winner trained by", html`<span title=${answer.recipe.why}>${answer.recipe.name}</span>`],
      ]} />
      <p class="help">${answer.recipe.why}</p>
      <${Durations} steps=${answer.steps} named=${{ teacher: TEACHER[answer.spec.teacher.weights] ?? "train the teacher" }} />
    </div>`}
  </${Panel}>`;
}

/** What its step does, by where the weights come from. */
const TEACHER = /** @type {Record<string, string>} */ ({ pretrained: "load the teacher", given: "take over the teacher", finetune: "train the teacher further" });

/** Whether there are networks within the budget; which limit none meets is said at that field. @param {{answer: any}} props */
function Feasible({ answer }) {
  if (answer.feasible && answer.spec.budget.latency_ms) return html`<p>✓ There are networks within the other limits. Whether one is fast enough is known once layers are timed, when the search begins.</p>`;
  if (answer.feasible) return html`<p class="good">✓ There are networks within this budget.</p>`;
  return answer.feasible === null && html`<p class="note note-warn" role="status">${answer.reason}</p>`;
}

const NAMES = /** @type {Record<string, string>} */ ({ flops: "multiply-adds", params: "parameters" });

/** The feasible range of a cost, and where the budget is on it. @param {{name: string, range: [number, number], limit: number | null}} props */
function Range({ name, range, limit }) {
  const [low, high] = range;
  const share = limit === null || limit === undefined ? 1 : Math.min(Math.max((limit - low) / (high - low || 1), 0), 1);
  const outside = limit !== null && limit < low;
  const text = limit === null || limit === undefined ? "no limit" : `at most ${count(limit)}`;
  return html`<div class="cost-range">
    <div class="cost-head"><span>${NAMES[name] ?? name}</span><strong>${text}</strong></div>
    <svg width="100%" height="18" role="img" aria-label="${NAMES[name] ?? name}: networks from ${count(low)} to ${count(high)}, ${text}">
      <rect class="cost-all" x="0" y="6" width="100%" height="6" rx="3" />
      ${!outside && html`<rect class="cost-in" x="0" y="6" width=${`${100 * share}%`} height="6" rx="3" />`}
      ${limit !== null && limit !== undefined && html`<rect class=${outside ? "cost-mark cost-out" : "cost-mark"} x=${`${99 * share}%`} y="1" width="3" height="16" />`}
    </svg>
    <div class="cost-ends faint"><span>${count(low)}</span><span>${count(high)}</span></div>
  </div>`;
}

/** A limit on what no range is known of: the search measures it. @param {{limit: number | null}} props */
const Latency = ({ limit }) => limit && html`<div class="cost-range">
  <div class="cost-head"><span>latency</span><strong>at most ${milliseconds(limit)}</strong></div>
  <p class="help">Of one picture, by PyTorch on the device of the worker that times it. ONNX files may be many times as fast: what they take is measured when they are made.</p>
</div>`;
