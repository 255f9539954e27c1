// A tuning at a glance: the best recipe, and every plot of the same trials.

import { loss, percent } from "../../format.js";
import { Empty, Facts, Panel } from "../../parts/basics.js";
import { Code } from "../../parts/copy.js";
import { useResource } from "../../hooks.js";
import { href } from "../../router.js";
import { html } from "../../view.js";
import { title } from "../network/called.js";
import { useFiltered } from "./data.js";
import { Filters } from "./filters.js";
import { Curves, History } from "./history.js";
import { Importance } from "./importance.js";
import { Parallel } from "./parallel.js";
import { Trials } from "./table.js";

/** @typedef {import("./data.js").Trial} Trial */

/** @param {{tuning: any, trials: Trial[]}} props */
export function Overview({ tuning, trials }) {
  const shown = useFiltered(trials);
  const { search } = tuning.spec;
  return html`<${Best} tuning=${tuning} />
    <${Filters} shown=${shown.length} of=${trials.length} />
    <${Panel} title="Trials in parallel coordinates"><${Parallel} trials=${shown} all=${trials} search=${search} /></${Panel}>
    <div class="grid">
      <${Panel} title="Trial by trial"><${History} trials=${shown} /></${Panel}>
      <${Panel} title="Epoch by epoch"><${Curves} trials=${shown} /></${Panel}>
      <${Panel} title="Which settings mattered"><${Importance} id=${tuning.id} complete=${tuning.counts.complete ?? 0} /></${Panel}>
    </div>
    <${Panel} title="Trials"><${Trials} trials=${shown} fields=${Object.keys(search)} /></${Panel}>`;
}

/** @param {{tuning: any}} props */
function Best({ tuning: { id, best, recipe, architecture_id: architecture, warnings } }) {
  return html`${warnings.map((/** @type {string} */ warning) => html`<p class="note note-warn" key=${warning}>${warning}</p>`)}
    <${Panel} title="The best recipe" actions=${best && architecture && html`<a class="button main" href=${href(["trainings", "new"], { architecture, recipe })}>Train by it</a>`}>
    ${best ? html`<${Facts} items=${[["Trial", best.trial], ["Accuracy, held out", percent(best.value)], ...settings(best.params)]} />
        <p class="faint">Held-out images are those of the training images that recipes are chosen by; test images are not looked at.</p>
        <${Code} label="Recipe of POST /trainings" text=${JSON.stringify({ recipe }, null, 2)} />`
      : html`<${Empty}>It is known when the first trial is complete.</${Empty}>`}
    ${architecture ? html`<${Of} id=${architecture} />` : html`<p class="faint">The network of tuning ${id} was deleted with its search.</p>`}
  </${Panel}>`;
}

/** What the recipes are for. @param {{id: string}} props of a network */
function Of({ id }) {
  const { data } = useResource(`architectures/${id}`);
  return html`<p>Tried on <a href=${href(["networks", id])}>${data ? title(data) : `network ${id.slice(-8)}`}</a>.</p>`;
}

/** @param {Record<string, import("./data.js").Value>} params @returns {[string, any][]} */
const settings = (params) =>
  Object.entries(params).map(([field, value]) => [field, typeof value === "number" ? loss(value) : String(value)]);
