// What matters most of a tuning: the network, the images, what is tried, how often.

import { DatasetField } from "../../form/dataset.js";
import { Field } from "../../form/field.js";
import { html } from "../../view.js";
import { ArchitectureField, Named } from "../new_training/first.js";
import { StartField } from "../new_training/start.js";
import { Tried } from "./tried.js";

/** @param {{schema: any}} props */
export function First({ schema }) {
  const here = schema.properties;
  return html`<${ArchitectureField} schema=${here.architecture} />
    <${DatasetField} schema=${here.dataset} />
    <${Tried} schema=${schema} />
    <div class="form-fields">
      <${Field} schema=${here.trials} place=${["trials"]} help="So many trainings, each by other numbers. The first ten are drawn at random, the others near what was good." />
      <${Field} schema=${here.pruner} place=${["pruner"]} />
    </div>
    <${StartField} />
    <${Named} here=${here} />`;
}
