// What the weights are before: drawn at random, those of the distilled blocks, or those that another training has left.

import { Choose, listed } from "../../form/choose.js";
import { Chosen, useChosen } from "../../form/chosen.js";
import { fieldId, useForm, useValue } from "../../form/context.js";
import { FieldErrors, useErrors } from "../../form/errors.js";
import { percent } from "../../format.js";
import { html } from "../../view.js";
import { titleOf } from "../network/called.js";

const trainings = listed(
  "trainings",
  (training) => ({ value: training.id, label: training.name || training.id, about: [titleOf(training), training.dataset, training.test_accuracy !== null && percent(training.test_accuracy), `…${training.id.slice(-8)}`].filter(Boolean).join(" · ") }),
  { state: "succeeded", sort: "-created_at" },
);

const WAYS = [
  ["scratch", "From scratch", "random weights"],
  ["inherited", "Inherited", "the weights of its distilled blocks, where its search still has them"],
  ["training", "From a training", "the weights that another training of the network has left"],
];

/** @param {{schema: any}} props */
export function StartField({ schema }) {
  const { value, set } = useValue(["start"]);
  const form = useForm();
  const errors = useErrors(["start"], true);
  const from = typeof value === "object" && value !== null;
  const training = useChosen("trainings", from ? value.training : null);
  const chosen = from ? "training" : (value ?? "scratch");
  const id = fieldId(["start", "training"]);
  return html`<fieldset class="nested" id=${fieldId(["start"])} tabindex="-1">
    <legend>Begin with</legend>
    <div class="recipes">
      ${WAYS.map(([way, label, about]) => html`<label key=${way} class="inline"><input type="radio" name="start" value=${way} checked=${chosen === way} onChange=${() => set({ training: { training: "" }, inherited: way }[way])} /><span>${label} <span class="faint">${about}</span></span></label>`)}
    </div>
    ${from && html`<div class="field"><label for=${id}>Training</label>
      <${Choose} id=${id} value=${value.training ?? ""} named=${training?.name || undefined} ask=${trainings} placeholder="choose, or type an id" onChange=${(/** @type {string} */ text) => form.set(["start", "training"], text)} />
      ${training && html`<${Chosen} page="trainings" id=${training.id} name=${training.name || "The training"}>: ${titleOf(training)}.</${Chosen}>`}</div>
      <label class="inline"><input type="checkbox" checked=${value.head === "new"} onChange=${(/** @type {any} */ event) => form.set(["start", "head"], event.target.checked ? "new" : undefined)} />Draw its classifier anew, though the classes are called the same</label>`}
    <${FieldErrors} errors=${errors} />
  </fieldset>`;
}
