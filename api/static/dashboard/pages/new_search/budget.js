// The budget: costs as people write them, with the range that is feasible to slide over.

import { count } from "../../format.js";
import { html } from "../../view.js";
import { amount } from "../../form/controls.js";
import { fieldId, useForm, useValue } from "../../form/context.js";
import { FieldErrors, useErrors } from "../../form/errors.js";
import { Field } from "../../form/field.js";
import { costValue, readable } from "./costs.js";

const HELP = /** @type {Record<string, string>} */ ({
  flops: "Multiply-adds for one image: most of the time and energy that an answer takes. As in 350 M or 1.2 G.",
  params: "Weights of the network: four bytes each in its file, one in the 8-bit file. As in 5.3 M.",
  latency_ms: "Milliseconds for one image, as measured on the device of a worker. It cannot be known before the search has measured it.",
});

/** @param {{schema: any, answer: any}} props */
export function Budget({ schema, answer }) {
  const { api } = useForm();
  const fields = api.components.schemas[schema.$ref.split("/").at(-1)].properties;
  const errors = useErrors(["budget"], false);
  return html`<fieldset class="budget" id=${fieldId(["budget"])} tabindex="-1" aria-describedby=${errors.length ? "budget-errors" : null}>
    <legend>Budget</legend>
    <p class="help">What the network may cost. Give one limit, or several; where you give none, it is half way between the smallest and the largest network.</p>
    <${FieldErrors} errors=${errors} id="budget-errors" />
    ${Object.keys(fields).map((name) => html`<${Cost} key=${name} name=${name} schema=${fields[name]} range=${answer?.feasible_range[name]} />`)}
  </fieldset>`;
}

/** @param {{name: string, schema: any, range: [number, number] | undefined}} props */
function Cost({ name, schema, range }) {
  const { resolved } = useForm();
  const place = ["budget", name];
  const { value } = useValue(place);
  const usual = value === undefined ? resolved?.budget?.[name] : null;
  const placeholder = usual ? `${count(usual)} (half way)` : "no limit";
  return html`<${Field} schema=${schema} place=${place} help=${HELP[name]} placeholder=${placeholder}>
    ${range && html`<${Slider} name=${name} range=${range} />`}
  </${Field}>`;
}

/** Steps of a slider. */
const STEPS = 200;

/** @param {{name: string, range: [number, number]}} props */
function Slider({ name, range }) {
  const { resolved, labels } = useForm();
  const { value, set } = useValue(["budget", name]);
  const [low, high] = range;
  const written = costValue(value ?? resolved?.budget?.[name] ?? high);
  const at = Math.round((STEPS * (Math.min(Math.max(written ?? high, low), high) - low)) / (high - low || 1));
  const write = (/** @type {any} */ event) => set(amount(readable(low + ((high - low) * event.target.value) / STEPS, range)));
  return html`<div class="slide">
    <span class="faint">${count(low)}</span>
    <input type="range" min="0" max=${STEPS} value=${at} aria-label="${labels.own(["budget", name])}, between the smallest and the largest network" aria-valuetext=${count(written)} onInput=${write} />
    <span class="faint">${count(high)}</span>
  </div>`;
}
