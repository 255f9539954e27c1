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
    ["Accuracy", html`<${Reached} network=${network} training=${training} />`],
    ["Predicted loss", lossText(network.loss)],
    ["FLOPs", counted(network.flops, network.counted_flops, training)],
    ["Parameters", counted(network.params, network.counted_params, training)],
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

/**
 * By formula, and as counted on the network that was built: as it is, for as many classes and pictures of its size.
 * @param {number} predicted @param {number | null} real @param {any} training
 */
function counted(predicted, real, training) {
  if (real === null) {
    const why = training?.test
      ? "not counted, for it was trained with other classes or at another size"
      : "counted when it is trained";
    return html`<span title=${exact(predicted)}>${count(predicted)}</span>
      <span class="faint"> predicted; ${why}</span>`;
  }
  const same = real === predicted ? "as predicted" : `predicted ${count(predicted)}`;
  return html`<span title=${exact(real)}>${count(real)}</span> <span class="faint">counted, ${same}</span>`;
}

/**
 * By its search, or by which training; one on other images than its search's is no figure of the network's.
 * @param {{network: any, training: any}} props
 */
function Reached({ network, training }) {
  const { test_accuracy: share, test_training_id: id, test_dataset: dataset, search_id: search } = network;
  const test = share === null ? training?.test : network.test;
  if (share === null && !test) return html`<span class="faint">not trained yet</span>`;
  const within = test && html` <span class="faint">${interval(test.interval)} on ${exact(test.images)} pictures</span>`;
  const by = (/** @type {string} */ one, /** @type {string | null} */ on) =>
    html` <span class="faint">by</span> <a href=${href(["trainings", one])}>its own training</a>
      ${on && html` <span class="faint">on ${on}</span>`}`;
  if (share === null) return html`${percent(test.accuracy)}${within}${by(training.id, training.dataset)}`;
  const own = id && network.files.length === 1; // Of what its search has trained, the search has left files.
  return html`${percent(share)}${within}${own && by(id, search ? null : dataset)}`;
}
