// A field of the form: its name, the control that suits what the document says of it, what it means, what is wrong with it.

import { html, useState } from "../view.js";
import { AmountControl, BooleanControl, ChoiceControl, JsonControl, NumberControl, TextControl } from "./controls.js";
import { fieldId, useForm } from "./context.js";
import { at, isObject, pointer } from "./document.js";
import { FieldErrors, useErrors } from "./errors.js";
import { ListControl, MapControl, ObjectControl, UnionControl } from "./nested.js";
import { limits, shapeOf } from "./schema.js";

const SINGLE = { text: TextControl, amount: AmountControl, number: NumberControl, boolean: BooleanControl, choice: ChoiceControl };
const NESTED = { object: ObjectControl, list: ListControl, map: MapControl, union: UnionControl };

/**
 * @param {object} props
 * @param {any} props.schema as the OpenAPI document has it
 * @param {import("./document.js").Place} props.place
 * @param {string} [props.label] in place of what it is called on the form
 * @param {any} [props.help] in place of the document's words
 * @param {any} [props.control] in place of the one that suits the schema; it gets what those get
 * @param {string} [props.placeholder] in place of the default
 * @param {string} [props.named] what the value is called, where it is an id
 * @param {any} [props.children] below the control
 */
export function Field({ schema, place, label, help, control, placeholder, named, children }) {
  const { api, labels } = useForm();
  const shape = shapeOf(api, schema, String(place.at(-1) ?? ""));
  const called = label ?? labels.own(place) ?? shape.title;
  if (!control && !(shape.kind in SINGLE)) return html`<${Nested} shape=${shape} place=${place} label=${called} help=${help} />`;
  return html`<${Single} shape=${shape} place=${place} label=${called} help=${help} control=${control} placeholder=${placeholder} named=${named}>${children}</${Single}>`;
}

/** @param {{shape: import("./schema.js").Shape, place: import("./document.js").Place, label: string, help?: any, control?: any, placeholder?: string, named?: string, children?: any}} props */
function Single({ shape, place, label, help, control, placeholder, named, children }) {
  const id = fieldId(place);
  const errors = useErrors(place, true);
  const bounds = shape.kind === "number" ? limits(shape.schema) : "";
  const said = help ?? words(shape.help);
  const aria = useAria(id, errors.length > 0, Boolean(said || bounds));
  const inline = shape.kind === "boolean" && typeof shape.byDefault === "boolean" && !shape.nullable && !control;
  return html`<div class="field ${inline ? "field-inline" : ""} ${errors.length ? "field-wrong" : ""}">
    <label for=${id} title=${place.join(".")}>${label}</label>
    <${control ?? /** @type {any} */ (SINGLE)[shape.kind]} shape=${shape} place=${place} id=${id} aria=${aria} placeholder=${placeholder} named=${named} />
    <${FieldErrors} errors=${errors} id=${`${id}-errors`} />
    ${(said || bounds) && html`<p class="help" id=${`${id}-help`}>${said} ${bounds && html`<span class="form-limits">${bounds}</span>`}</p>`}
    ${children}
  </div>`;
}

/** @param {string} id @param {boolean} wrong @param {boolean} helped */
function useAria(id, wrong, helped) {
  const by = [wrong && `${id}-errors`, helped && `${id}-help`].filter(Boolean).join(" ");
  return { "aria-invalid": wrong ? "true" : null, "aria-describedby": by || null };
}

/** Whether what is in it has fields of its own just now. @param {import("./schema.js").Shape} shape @param {any} value */
function isOpen({ kind, nullable }, value) {
  if (kind === "union") return (value ?? null) !== null;
  return kind === "list" || (kind === "object" && (!nullable || isObject(value)));
}

/** What holds several values: written by its own controls, or as JSON. @param {{shape: import("./schema.js").Shape, place: import("./document.js").Place, label: string, help?: any}} props */
function Nested({ shape, place, label, help }) {
  const id = fieldId(place);
  const form = useForm();
  const own = /** @type {any} */ (NESTED)[shape.kind];
  const [wanted, setJson] = useState(!own);
  const json = wanted || form.roughAt(place) !== undefined;
  const open = !json && isOpen(shape, at(form.spec, place));
  // The form of a union that was chosen is a field at the same place, which says what is wrong itself.
  const inner = open && shape.kind === "union";
  const errors = useErrors(place, !open).filter(() => !inner);
  const said = help ?? words(shape.help);
  const described = useAria(id, errors.length > 0, Boolean(said));
  const aria = { ...described, "aria-label": json ? `${label} as JSON` : null };
  return html`<fieldset class="nested" id=${json || inner ? null : id} tabindex="-1" aria-describedby=${described["aria-describedby"]}>
    <legend title=${place.join(".")}>${label}</legend>
    ${said && html`<p class="help" id=${`${id}-help`}>${said}</p>`}
    ${own && html`<button type="button" class="plain as-json" aria-pressed=${json} onClick=${() => setJson(!json)} disabled=${form.roughAt(place) !== undefined}>as JSON</button>`}
    ${json ? html`<${JsonControl} shape=${shape} place=${place} id=${id} aria=${aria} />` : html`<${own} shape=${shape} place=${place} id=${id} />`}
    <${FieldErrors} errors=${errors} id=${`${id}-errors`} />
  </fieldset>`;
}

/** The document's words, in which names of fields and values stand between backticks. @param {string} text */
export function words(text) {
  if (!text.includes("`")) return text;
  return text.split("`").map((part, place) => (place % 2 ? html`<code>${part}</code>` : part));
}

/** All fields of an object but those that stand elsewhere, or `only` some. @param {{schema: any, place: import("./document.js").Place, but?: string[], only?: string[]}} props */
export function Fields({ schema, place, but = [], only }) {
  const { api } = useForm();
  const shape = shapeOf(api, schema);
  const fields = shape.fields ?? {};
  return html`${(only ?? Object.keys(fields))
    .filter((name) => !but.includes(name))
    .map((name) => html`<${Field} key=${pointer([...place, name])} schema=${fields[name]} place=${[...place, name]} />`)}`;
}
