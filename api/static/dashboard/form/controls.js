// Controls of single values. Each shows what is written, and as its placeholder what holds where nothing is.

import { html, useState } from "../view.js";
import { useDefault, useForm, useValue } from "./context.js";
import { same } from "./document.js";

/**
 * @typedef {object} Control
 * @property {import("./schema.js").Shape} shape
 * @property {import("./document.js").Place} place
 * @property {string} id
 * @property {Record<string, any>} aria what describes it, and whether it is wrong
 * @property {string} [placeholder] in place of the default
 * @property {string} [named] what the value is called, where it is an id
 */

/**
 * The text of an input whose value is not text: what is being typed ("1.0") stays as long as it means what is written.
 * @param {any} value @param {(text: string) => any} read @param {(value: any) => string} write
 */
export function useText(value, read, write) {
  const [text, setText] = useState(write(value));
  return { text: same(read(text), value) ? text : write(value), setText };
}

/** @param {any} value */
const shown = (value) => (value === undefined || value === null ? "" : String(value));

/** @param {Control} props */
export function TextControl({ shape, place, id, aria, placeholder }) {
  const { value, set } = useValue(place);
  const usual = useDefault(place, shape.byDefault);
  const known = shape.options ?? [];
  return html`<input id=${id} type="text" ...${aria} value=${shown(value)} placeholder=${placeholder ?? shown(usual)} maxlength=${shape.schema.maxLength} list=${known.length ? `${id}-known` : null}
      autocomplete="off" spellcheck=${false} onInput=${(/** @type {any} */ event) => set(event.target.value || undefined)} />
    ${known.length > 0 && html`<datalist id=${`${id}-known`}>${known.map((/** @type {string} */ option) => html`<option key=${option} value=${option} />`)}</datalist>`}`;
}

/** @param {string} text */
const number = (text) => (text.trim() === "" ? undefined : Number(text));

/** @param {Control} props */
export function NumberControl({ shape, place, id, aria, placeholder }) {
  const form = useForm();
  const { value, set } = useValue(place);
  const usual = useDefault(place, shape.byDefault);
  const { text, setText } = useText(value, number, shown);
  const { schema } = shape;
  const write = (/** @type {any} */ event) => {
    const { value: typed, validity } = event.target;
    form.setRough(place, validity.badInput ? "" : null);
    setText(typed);
    if (!validity.badInput) set(number(typed));
  };
  return html`<input id=${id} type="number" ...${aria} value=${text} placeholder=${placeholder ?? shown(usual)} step=${schema.multipleOf ?? (schema.type === "integer" ? 1 : "any")}
    min=${schema.minimum} max=${schema.maximum} inputmode=${schema.type === "integer" ? "numeric" : "decimal"} onInput=${write} />`;
}

/** A cost as people write it: 350M, or every digit. @param {string} text */
export const amount = (text) => (/^\d+$/.test(text.trim()) ? Number(text) : text.trim() || undefined);

/** @param {Control} props */
export function AmountControl({ place, id, aria, placeholder }) {
  const { value, set } = useValue(place);
  const usual = useDefault(place, "");
  const { text, setText } = useText(value, amount, shown);
  const write = (/** @type {any} */ event) => {
    setText(event.target.value);
    set(amount(event.target.value));
  };
  return html`<input id=${id} type="text" inputmode="decimal" ...${aria} value=${text} placeholder=${placeholder ?? shown(usual)} maxlength="40" autocomplete="off" onInput=${write} />`;
}

/** @param {Control} props */
export function BooleanControl({ shape, place, id, aria }) {
  const { value, set } = useValue(place);
  if (typeof shape.byDefault !== "boolean" || shape.nullable) {
    return html`<${Select} id=${id} aria=${aria} place=${place} shape=${shape} options=${[true, false]} />`;
  }
  const write = (/** @type {any} */ event) => set(event.target.checked === shape.byDefault ? undefined : event.target.checked);
  return html`<input id=${id} type="checkbox" ...${aria} checked=${value ?? shape.byDefault} onChange=${write} />`;
}

/** @param {Control} props */
export const ChoiceControl = ({ shape, place, id, aria }) =>
  html`<${Select} id=${id} aria=${aria} place=${place} shape=${shape} options=${shape.options} />`;

/** @param {any} value */
const spoken = (value) => ({ true: "yes", false: "no", null: "none" })[String(value)] ?? String(value);

/** @param {Control & {options: any[]}} props */
function Select({ id, aria, place, shape, options }) {
  const { value, set } = useValue(place);
  const usual = useDefault(place, shape.byDefault);
  const all = shape.nullable ? [...options, null] : options;
  // What is written and none of these, by a pasted document, is shown and not lost.
  const listed = value === undefined || all.includes(value) ? all : [...all, value];
  const write = (/** @type {any} */ event) => set(event.target.value === "" ? undefined : listed[Number(event.target.value)]);
  return html`<select id=${id} ...${aria} value=${value === undefined ? "" : String(listed.indexOf(value))} onChange=${write}>
    <option value="">${usual === undefined || usual === "" ? "Default" : `Default: ${spoken(usual)}`}</option>
    ${listed.map((option, place) => html`<option key=${place} value=${String(place)}>${spoken(option)}</option>`)}
  </select>`;
}

/** JSON, checked as it is typed. @param {Control & {rows?: number}} props */
export function JsonControl({ place, id, aria, rows = 8 }) {
  const form = useForm();
  const { value, set } = useValue(place);
  const rough = form.roughAt(place);
  const text = rough ?? (value === undefined ? "" : JSON.stringify(value, null, 2));
  const write = (/** @type {any} */ event) => {
    const typed = event.target.value;
    if (!typed.trim()) {
      form.setRough(place, null);
      return set(undefined);
    }
    try {
      const value = JSON.parse(typed);
      // The text stays as it was typed, not as a machine would set it.
      form.setRough(place, null);
      set(value);
    } catch {
      form.setRough(place, typed);
    }
  };
  return html`<${JsonText} id=${id} aria=${aria} rows=${rows} text=${text} value=${value} write=${write} />`;
}

/** @param {{id: string, aria: any, rows: number, text: string, value: any, write: (event: any) => void}} props */
function JsonText({ id, aria, rows, text, value, write }) {
  const [typed, setTyped] = useState(text);
  const shown = meansTheSame(typed, value) ? typed : text;
  return html`<textarea id=${id} ...${aria} rows=${rows} spellcheck=${false} value=${shown} onInput=${(/** @type {any} */ event) => {
    setTyped(event.target.value);
    write(event);
  }}></textarea>`;
}

/** @param {string} text @param {any} value */
function meansTheSame(text, value) {
  try {
    return same(JSON.parse(text), value);
  } catch {
    return false;
  }
}
