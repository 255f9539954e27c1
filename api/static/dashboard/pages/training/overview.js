// What a training comes to: what is trained on what, its curves, its accuracy, its files.

import { count } from "../../format.js";
import { useResource } from "../../hooks.js";
import { Phases } from "../../job/phases.js";
import { Empty, Facts, Panel } from "../../parts/basics.js";
import { href } from "../../router.js";
import { html } from "../../view.js";
import { Accuracy } from "../network/accuracy.js";
import { titleOf } from "../network/called.js";
import { Files } from "../network/files.js";
import { TryTraining } from "../network/try_out.js";
import { Curves } from "./curves.js";

/** @param {{training: any, following: import("../../job/following.js").Following}} props */
export function Overview({ training, following }) {
  const { data: network } = useResource(training.architecture_id && `architectures/${training.architecture_id}`);
  return html`<${Phases} kind="training" job=${training} />
    ${training.warnings.map((/** @type {string} */ warning) => html`<p class="note note-warn" key=${warning}>${warning}</p>`)}
    <${About} training=${training} />
    <${Curves} training=${training} following=${following} />
    ${network && training.test && html`<${Accuracy} network=${network} training=${training} trainings=${[training]} />`}
    <${TryTraining} training=${training} />
    ${network && training.files.length > 0 && html`<${Files} network=${network} training=${training} trainings=${[training]} alone />`}
    ${training.state === "succeeded" && !training.files.length && html`<${Panel} title="Files"><${Empty}>It left no files.</${Empty}></${Panel}>`}`;
}

/** @param {{training: any}} props */
function About({ training }) {
  const { spec, search_id: search, architecture_id: architecture, dataset } = training;
  /** @type {[string, any][]} */
  const facts = [
    ["Network", architecture ? html`<a href=${href(["networks", architecture])}>${titleOf(training)}</a>` : titleOf(training)],
    ["Dataset", html`<a href=${href(["datasets", dataset])}>${dataset}</a>`],
    ["FLOPs", count(training.flops)],
    ["Params", count(training.params)],
  ];
  if (search) facts.push(["Part of", html`<a href=${href(["searches", search])}>its search</a>`]);
  if (spec) facts.push(["Recipe", spec.recipe], ["Epochs", spec.epochs], ["Starts from", spec.start]);
  return html`<${Panel} title="What is trained"><${Facts} items=${facts} /></${Panel}>`;
}
