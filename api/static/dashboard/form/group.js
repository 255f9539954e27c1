// A part of the form that opens: what most people leave as it is. It is open where something is wrong in it.

import { html, useEffect, useRef } from "../view.js";
import { fieldId, useForm } from "./context.js";
import { at, parts, pointer } from "./document.js";
import { Field, Fields } from "./field.js";
import { shapeOf } from "./schema.js";
import { unfold } from "./show.js";
import { FieldErrors } from "./errors.js";

/**
 * @param {object} props
 * @param {string} props.title
 * @param {string} props.about what is in it, in a few words
 * @param {any} props.schema of the whole spec
 * @param {Inside} props.inside
 */
export function Group({ title, about, schema, inside }) {
  const form = useForm();
  const element = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  const places = placesIn(form.api, schema, inside);
  const written = places.filter((place) => at(form.spec, place) !== undefined).length;
  const whole = form.errors.filter((error) => inside.of && error.pointer === pointer([inside.of]));
  const wrong = whole.length > 0 || form.errors.some((error) => places.some((place) => within(error.pointer, place)));
  useEffect(() => {
    if (!wrong || !element.current) return;
    element.current.open = true;
    for (const field of element.current.querySelectorAll(".field-errors")) unfold(field);
  }, [wrong]);
  const here = schema.properties;
  return html`<details class="panel form-group" ref=${element}>
    <summary><h2>${title}</h2> <span class="faint">${about}</span>${written > 0 && html` <span class="label">${written} set</span>`}${wrong && html` <strong class="wrong">needs a look</strong>`}</summary>
    ${whole.length > 0 && html`<div id=${fieldId([inside.of ?? ""])} tabindex="-1"><${FieldErrors} errors=${whole} /></div>`}
    ${inside.top && html`<${inside.top} schema=${schema} />`}
    ${inside.first && html`<div class="form-fields"><${Fields} schema=${inside.of ? here[inside.of] : schema} place=${inside.of ? [inside.of] : []} only=${inside.first} /></div>`}
    <${inside.first ? More : "div"} class="form-fields">
      ${(inside.fields ?? []).filter((name) => !ahead(inside).includes(name)).map((name) => html`<${Field} key=${name} schema=${here[name]} place=${[name]} />`)}
      ${inside.of && html`<${Fields} schema=${here[inside.of]} place=${[inside.of]} but=${[...(inside.but ?? []), ...(inside.first ?? [])]} />`}
    </${inside.first ? More : "div"}>
  </details>`;
}

/** Single fields that stand first. @param {Inside} inside */
const ahead = (inside) => (inside.of ? [] : (inside.first ?? []));

/** What few people change. @param {{children: any}} props */
const More = ({ children }) => html`<details class="form-more"><summary>More settings</summary><div class="form-fields">${children}</div></details>`;

/** @typedef {{fields?: string[], of?: string, first?: string[], but?: string[], top?: any, also?: string[]}} Inside single fields, and all of an object but some; all but the `first` are folded; `top` is a component of its own, which writes `also`, by dotted names */

/** Places of what stands in a group. @param {any} api @param {any} schema @param {Inside} inside @returns {import("./document.js").Place[]} */
function placesIn(api, schema, { fields = [], also = [], of, but = [] }) {
  const single = [...fields, ...also].map((name) => name.split("."));
  if (!of) return single;
  const inner = Object.keys(shapeOf(api, schema.properties[of]).fields ?? {}).filter((name) => !but.includes(name));
  return [...single, ...inner.map((name) => [of, name])];
}

/** @param {string} error its pointer @param {import("./document.js").Place} place */
const within = (error, place) => error === pointer(place) || error.startsWith(`${pointer(place)}/`);

/** What a pasted document has and the form has no field for: it is shown, and can be taken out. */
export function Unknown() {
  const form = useForm();
  const wrong = form.errors.filter((error) => error.detail.startsWith("There is no such field") && at(form.spec, parts(error.pointer)) !== undefined);
  if (!wrong.length) return null;
  return html`<section class="panel" aria-label="Unknown fields">
    <h2>Fields that there are not</h2>
    ${wrong.map((error) => {
      const place = parts(error.pointer);
      return html`<div class="field field-wrong" key=${error.pointer} id=${fieldId(place)} tabindex="-1">
        <code>${place.join(".")}</code> <${FieldErrors} errors=${[error]} />
        <button type="button" onClick=${() => form.set(place, undefined)}>Take it out</button>
      </div>`;
    })}
  </section>`;
}
