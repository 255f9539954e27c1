// Controls of what holds several values: objects, lists, maps, and what may have one of several forms.

import { html, useLayoutEffect, useRef, useState } from "../view.js";
import { fieldId, useForm, useValue } from "./context.js";
import { isObject, same } from "./document.js";
import { Field, Fields, words } from "./field.js";
import { inner, shapeOf, wayOf } from "./schema.js";

/** @typedef {import("./schema.js").Shape} Shape */
/** @typedef {import("./document.js").Place} Place */

/** What a new value of a shape begins with. @param {any} api @param {Shape} shape @returns {any} */
export function beginning(api, shape) {
  if (shape.kind === "union") return beginning(api, /** @type {Shape[]} */ (shape.ways)[0]);
  if (shape.kind === "choice") return shape.options?.[0];
  if (shape.kind === "number") return shape.schema.minimum ?? 1;
  if (shape.kind === "list") return [];
  if (shape.kind !== "object") return shape.kind === "boolean" ? false : shape.kind === "text" || shape.kind === "amount" ? "" : {};
  const needed = Object.entries(shape.fields ?? {}).filter(([name, schema]) => shape.required?.includes(name) || "const" in schema);
  return Object.fromEntries(needed.map(([name, schema]) => [name, "const" in schema ? schema.const : beginning(api, shapeOf(api, schema))]));
}

/** @param {{shape: Shape, place: Place}} props */
export function ObjectControl({ shape, place }) {
  const { value, set } = useValue(place);
  if (!shape.nullable) return html`<div class="form-fields"><${Fields} schema=${shape.schema} place=${place} /></div>`;
  const state = value === undefined ? "default" : value === null ? "none" : "own";
  const write = (/** @type {any} */ event) => set({ default: undefined, none: null, own: {} }[String(event.target.value)]);
  return html`<select aria-label=${shape.title} value=${state} onChange=${write}>
      <option value="default">Default</option><option value="none">None</option><option value="own">As written here</option>
    </select>
    ${isObject(value) && html`<div class="form-fields"><${Fields} schema=${shape.schema} place=${place} /></div>`}`;
}

/** @param {{shape: Shape, place: Place}} props */
export function ListControl({ shape, place }) {
  const { api } = useForm();
  const { value, set } = useValue(place);
  const items = Array.isArray(value) ? value : [];
  const of = inner(api, shape);
  const most = shape.schema.maxItems ?? Infinity;
  const without = (/** @type {number} */ gone) => set(items.length === 1 ? undefined : items.filter((_, n) => n !== gone));
  return html`<ol class="form-rows">
      ${items.map((_, n) => html`<li key=${n}>
        <${Field} schema=${shape.schema.items} place=${[...place, n]} label=${`${shape.title} ${n + 1}`} help="" />
        <button type="button" class="plain" aria-label="Remove ${shape.title} ${n + 1}" onClick=${() => without(n)}>✕</button>
      </li>`)}
    </ol>
    <button type="button" disabled=${items.length >= most} onClick=${() => set([...items, beginning(api, of)])}>Add</button>`;
}

/** Free pairs of name and value. @param {{shape: Shape, place: Place, id: string}} props */
export function MapControl({ shape, place, id }) {
  const { value, set } = useValue(place);
  const [rows, setRows] = useState(() => pairs(value));
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const adding = useRef(false);
  // A row without a name is none yet: it lives here alone.
  const shown = same(whole(rows), value ?? {}) ? rows : pairs(value);
  const write = (/** @type {[string, string][]} */ next) => {
    setRows(next);
    const made = whole(next);
    set(Object.keys(made).length ? made : undefined);
  };
  const change = (/** @type {number} */ row, /** @type {number} */ side, /** @type {string} */ text) =>
    write(shown.map((pair, n) => (n === row ? /** @type {[string, string]} */ (pair.with(side, text)) : pair)));
  const add = () => {
    adding.current = true;
    setRows([...shown, ["", ""]]);
  };
  useLayoutEffect(() => {
    if (adding.current) /** @type {HTMLElement | null | undefined} */ (list.current?.querySelector("li:last-child input"))?.focus();
    adding.current = false;
  }, [shown.length]);
  const names = shape.schema.propertyNames ?? {};
  return html`<ul class="form-rows" ref=${list}>
      ${shown.map(([name, text], n) => html`<li key=${n} class="pair">
        <input type="text" aria-label="Name of ${shape.title} ${n + 1}" placeholder="name" value=${name} maxlength=${names.maxLength} onInput=${(/** @type {any} */ event) => change(n, 0, event.target.value)} />
        <input type="text" aria-label="Value of ${shape.title} ${n + 1}" placeholder="value" value=${text} maxlength=${shape.schema.additionalProperties.maxLength} onInput=${(/** @type {any} */ event) => change(n, 1, event.target.value)} />
        <button type="button" class="plain" aria-label="Remove ${shape.title} ${n + 1}" onClick=${() => write(shown.filter((_, other) => other !== n))}>✕</button>
      </li>`)}
    </ul>
    <button type="button" id=${`${id}-add`} disabled=${shown.length >= (shape.schema.maxProperties ?? Infinity)} onClick=${add}>Add</button>`;
}

/** @param {any} value @returns {[string, string][]} */
const pairs = (value) => Object.entries(isObject(value) ? value : {}).map(([name, text]) => [name, String(text)]);

/** @param {[string, string][]} rows */
const whole = (rows) => Object.fromEntries(rows.filter(([name]) => name));

/** @param {{shape: Shape, place: Place}} props */
export function UnionControl({ shape, place }) {
  const { api } = useForm();
  const { value, set } = useValue(place);
  const ways = /** @type {Shape[]} */ (shape.ways);
  const taken = value === undefined || value === null ? -1 : Math.max(wayOf(ways, value), 0);
  const begin = (/** @type {any} */ event) => {
    const chosen = event.target.value;
    set(chosen === "default" ? undefined : chosen === "none" ? null : beginning(api, ways[Number(chosen)]));
  };
  const state = value === undefined ? "default" : value === null ? "none" : String(taken);
  const usual = typeof shape.byDefault === "string" ? `Default: ${shape.byDefault}` : "Default";
  return html`<select id=${`${fieldId(place)}-form`} aria-label="Form of ${shape.title}" value=${state} onChange=${begin}>
      <option value="default">${usual}</option>
      ${(shape.nullable || value === null) && html`<option value="none">None</option>`}
      ${ways.map((way, n) => html`<option key=${n} value=${String(n)}>${called(way)}</option>`)}
    </select>
    ${taken >= 0 && html`<p class="help">${words(ways[taken].help)}</p><${Field} schema=${ways[taken].schema} place=${place} label=${called(ways[taken])} help="" />`}`;
}

/** @param {Shape} way */
function called(way) {
  if (way.kind === "text") return "By name";
  if (way.kind === "choice") return "One of those known";
  const title = String(way.schema.title ?? way.kind).replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
  return title[0].toUpperCase() + title.slice(1);
}
