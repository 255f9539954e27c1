// What a tuning tries: one of the sets that have names, or fields of the recipe, each with a range or with choices.

import { fieldId, useForm, useValue } from "../../form/context.js";
import { FieldErrors, useErrors } from "../../form/errors.js";
import { useText } from "../../form/controls.js";
import { spoken } from "../../form/names.js";
import { shapeOf } from "../../form/schema.js";
import { isObject } from "../../form/document.js";
import { html } from "../../view.js";

/** What is one for all trials. */
const FIXED = ["epochs", "recipe", "devices", "start"];

const PRESETS = [
  ["small", "Small", "learning rate, weight decay, label smoothing"],
  ["wide", "Wide", "those in wider ranges, batch size, stochastic depth, mixup, erasing: for many trials"],
  ["own", "Of my own", "fields and values as written here"],
];

/** @typedef {{name: string, shape: import("../../form/schema.js").Shape}} Tunable */

/** Numbers and choices of a recipe, which searches and tunings have both. @param {any} api @param {any} schema @returns {Tunable[]} */
function tunable(api, schema) {
  const recipe = api.components.schemas.RetrainSpec.properties;
  return Object.keys(schema.properties)
    .filter((name) => name in recipe && !FIXED.includes(name))
    .map((name) => ({ name, shape: shapeOf(api, schema.properties[name], name) }))
    .filter(({ shape }) => ["number", "choice", "boolean"].includes(shape.kind));
}

/** What is tried of a field at first. @param {Tunable} of @param {any} known what the service tries of it just now */
function beginning({ shape }, known) {
  if (known?.choices) return known.choices;
  if (known) return known.log ? [known.low, known.high, "log"] : [known.low, known.high];
  if (shape.kind === "boolean") return [false, true];
  if (shape.kind === "choice") return shape.options;
  const low = shape.schema.minimum ?? 0.0001;
  return [low, Math.min(shape.schema.maximum ?? 1, shape.schema.type === "integer" ? Math.max(low + 1, 64) : 0.3)];
}

/** @param {{schema: any}} props */
export function Tried({ schema }) {
  const { api, resolved, set } = useForm();
  const { value } = useValue(["search"]);
  const errors = useErrors(["search"], false);
  const all = tunable(api, schema);
  const own = isObject(value);
  const known = resolved?.search ?? {};
  const choose = (/** @type {string} */ way) => {
    if (way !== "own") return set(["search"], way === "small" ? undefined : way);
    const first = Object.keys(known).length ? all.filter(({ name }) => known[name]) : all.slice(0, 1);
    set(["search"], Object.fromEntries(first.map((of) => [of.name, beginning(of, known[of.name])])));
  };
  return html`<fieldset class="nested" id=${fieldId(["search"])} tabindex="-1">
    <legend>What is tried</legend>
    <div class="recipes">
      ${PRESETS.map(([way, label, about]) => html`<label key=${way} class="inline"><input type="radio" name="search" value=${way} checked=${own ? way === "own" : (value ?? "small") === way} onChange=${() => choose(way)} /><span>${label} <span class="faint">${about}</span></span></label>`)}
    </div>
    ${own ? html`<${Rows} all=${all} value=${value} />` : html`<${Shown} of=${known} />`}
    <${FieldErrors} errors=${errors} />
  </fieldset>`;
}

/** What a set that has a name tries. @param {{of: Record<string, any>}} props */
const Shown = ({ of }) => html`<ul class="help">
  ${Object.entries(of).map(([name, tried]) => html`<li key=${name}>${spoken(name)}: ${tried.choices ? tried.choices.join(", ") : `${tried.low} to ${tried.high}${tried.log ? ", by factors" : ""}`}</li>`)}
</ul>`;

/** @param {{all: Tunable[], value: Record<string, any>}} props */
function Rows({ all, value }) {
  const { set } = useForm();
  const left = all.filter(({ name }) => !Object.hasOwn(value, name));
  const add = (/** @type {any} */ event) => {
    const of = all.find(({ name }) => name === event.target.value);
    if (of) set(["search", of.name], beginning(of, null));
  };
  return html`${Object.keys(value).map((name) => html`<${Row} key=${name} name=${name} of=${all.find((one) => one.name === name)} />`)}
    <select aria-label="Add a field to be tried" value="" onChange=${add}>
      <option value="">Add a field …</option>
      ${left.map(({ name }) => html`<option key=${name} value=${name}>${spoken(name)}</option>`)}
    </select>`;
}

/** @param {{name: string, of: Tunable | undefined}} props */
function Row({ name, of }) {
  const { set } = useForm();
  const place = ["search", name];
  const { value } = useValue(place);
  const errors = useErrors(place, true);
  const editor = !of ? null : of.shape.kind === "number" ? Range : Choices;
  return html`<div class="tuned" role="group" aria-label=${spoken(name)} id=${fieldId(place)} tabindex="-1">
      <span title=${of?.shape.help}>${spoken(name)}</span>
      ${editor ? html`<${editor} name=${name} of=${of} value=${value} set=${(/** @type {any} */ next) => set(place, next)} />` : html`<code class="choices">${JSON.stringify(value)}</code>`}
      <button type="button" class="plain" aria-label="Do not try ${spoken(name)}" onClick=${() => set(place, undefined)}>✕</button>
    </div>
    <${FieldErrors} errors=${errors} />`;
}

/** @param {{name: string, value: any, set: (value: any) => void}} props */
function Range({ name, value, set }) {
  const [low, high, scale] = Array.isArray(value) ? value : [];
  const write = (/** @type {any} */ from, /** @type {any} */ to, /** @type {boolean} */ log) => set(log ? [from, to, "log"] : [from, to]);
  return html`<${End} label="Least ${spoken(name)}" value=${low} set=${(/** @type {any} */ end) => write(end, high, scale === "log")} />
    <${End} label="Most ${spoken(name)}" value=${high} set=${(/** @type {any} */ end) => write(low, end, scale === "log")} />
    <label class="inline" title="Each factor is as likely as any other of its size: for learning rates and the like."><input type="checkbox" checked=${scale === "log"} onChange=${(/** @type {any} */ event) => write(low, high, event.target.checked)} />by factors</label>`;
}

/** @param {string} text */
const number = (text) => (text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text));

/** @param {{label: string, value: any, set: (value: any) => void}} props */
function End({ label, value, set }) {
  const { text, setText } = useText(value, number, (it) => String(it ?? ""));
  return html`<input type="text" inputmode="decimal" aria-label=${label} value=${text} onInput=${(/** @type {any} */ event) => {
    setText(event.target.value);
    set(number(event.target.value));
  }} />`;
}

/** @param {{of: Tunable, value: any, set: (value: any) => void}} props */
function Choices({ of, value, set }) {
  const options = of.shape.kind === "boolean" ? [false, true] : (of.shape.options ?? []);
  const chosen = Array.isArray(value) ? value : [];
  const turn = (/** @type {any} */ option, /** @type {boolean} */ on) => set(options.filter((/** @type {any} */ one) => (one === option ? on : chosen.includes(one))));
  return html`<span class="choices">${options.map((/** @type {any} */ option) => html`<label key=${String(option)} class="inline"><input type="checkbox" checked=${chosen.includes(option)} onChange=${(/** @type {any} */ event) => turn(option, event.target.checked)} />${{ true: "yes", false: "no" }[String(option)] ?? String(option)}</label>`)}</span>`;
}
