// The teacher of a search: which, how good it is on the test images, what it cost.

import { count, exact, interval, percent } from "../../format.js";
import { Facts } from "../../parts/basics.js";
import { href } from "../../router.js";
import { html } from "../../view.js";
import { stepOf } from "./networks.js";

/** @type {Record<string, string>} */
const WEIGHTS = { pretrained: "pretrained", finetune: "pretrained, then trained on the dataset", train: "trained on the dataset" };

/** @param {{search: any}} props */
export function Teacher({ search }) {
  const { teacher, dataset } = search.spec;
  const found = stepOf(search, "teacher")?.values;
  const test = found?.test;
  return html`<${Facts} items=${[
    ["Teacher", teacher.model],
    ["Its weights", teacher.given ? "were given" : (WEIGHTS[teacher.weights] ?? teacher.weights)],
    ["Its accuracy", test ? html`${percent(test.accuracy)} <span class="faint">${interval(test.interval)}</span>` : html`<span class="faint">not known yet</span>`],
    ["Its cost", found ? `${count(found.flops)} FLOPs, ${count(found.params)} parameters` : "–"],
    ["Blocks end at", teacher.boundaries.join(", ")],
    ["Dataset", html`<a href=${href(["datasets", dataset.name])}>${dataset.name}</a> <span class="faint">${exact(dataset.num_train)} images to learn from, ${exact(dataset.num_test)} to test, ${exact(dataset.num_classes)} classes</span>`],
  ]} />
  ${test?.verdict && html`<p class="note note-warn">${test.verdict}</p>`}`;
}
