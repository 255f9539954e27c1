// Where a network comes from, what it costs as predicted and as counted, how good it is.

import { count, exact, interval, latency, loss as lossText, percent } from "../../format.js";
import { Age, Facts, Panel } from "../../parts/basics.js";
import { ROLES } from "../../parts/explained.js";
import { href } from "../../router.js";
import { html } from "../../view.js";

/** @param {{network: any, search: any, training: any}} props */
export function About({ network, search, training }) {
  /** @type {[string, any][]} */
  const facts = [
    ["Is", ROLES[network.role] ?? network.role],
    ["Search", network.search_id ? html`<a href=${href(["searches", network.search_id])}>${search?.name ?? network.search}</a>` : "none"],
    ["Accuracy", accuracy(network.test_accuracy, network.test ?? training?.test, training)],
    ["Predicted loss", lossText(network.loss)],
    ["FLOPs", counted(network.flops, network.counted_flops)],
    ["Parameters", counted(network.params, network.counted_params)],
    ["Latency", network.latency_ns ? latency(network.latency_ns) : "not measured by its search"],
    ["Picture", sizeOf(network)],
    ["Classes", exact(network.architecture.timm?.num_classes ?? network.architecture.num_classes)],
    ["Kept", html`<${Age} at=${network.created_at} />${network.created_by && ` by ${network.created_by}`}`],
  ];
  return html`<${Panel} title="About"><${Facts} items=${facts} />
    ${network.test?.verdict && html`<p class="note note-warn">It is ${network.test.verdict}: it cannot be told from one that does not look at the picture.</p>`}
  </${Panel}>`;
}

/** @param {any} network */
const sizeOf = ({ architecture }) => (architecture.input_size ? `${architecture.input_size} × ${architecture.input_size} pixels` : "–");

/** By formula, and as counted on the network that was built. @param {number} predicted @param {number | null} real */
function counted(predicted, real) {
  if (real === null) return html`<span title=${exact(predicted)}>${count(predicted)}</span> <span class="faint">predicted; counted when it is trained</span>`;
  const same = real === predicted ? "as predicted" : `predicted ${count(predicted)}`;
  return html`<span title=${exact(real)}>${count(real)}</span> <span class="faint">counted, ${same}</span>`;
}

/** @param {number | null} share @param {any} test @param {any} training */
function accuracy(share, test, training) {
  if (share === null && !test) return html`<span class="faint">not trained yet</span>`;
  const within = test && html` <span class="faint">${interval(test.interval)} on ${exact(test.images)} pictures</span>`;
  const alone = share === null && training ? html` <a href=${href(["trainings", training.id])}>trained alone</a>` : null;
  return html`${percent(share ?? test.accuracy)}${within}${alone}`;
}
