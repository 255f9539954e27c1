// What is wrong, at the field that it is about, with what may have been meant as buttons.

import { html } from "../view.js";
import { useForm } from "./context.js";
import { at, parts, pointer } from "./document.js";

/** @typedef {import("./context.js").FieldError} FieldError */

/** @param {import("../client.js").Problem | null} problem @param {import("./labels.js").Labels} labels @returns {FieldError[]} those that point at a field */
export function fieldErrors(problem, labels) {
  return (problem?.errors ?? []).flatMap(({ pointer, detail }) =>
    pointer === undefined ? [] : [{ pointer, detail: labels.tell(said(detail), parts(pointer)), meant: meant(detail, problem?.body.known) }],
  );
}

/** In words that do not suppose that one knows JSON. @param {string} detail */
const said = (detail) => detail.replace(/^Field required$/, "This is needed.").replace(/^Input should/, "This should").replace(/^must be/, "This must be");

/** @param {string} detail @param {string[] | undefined} known names that there are, where a name was meant @returns {string[]} */
function meant(detail, known) {
  const begin = detail.lastIndexOf("Did you mean ");
  if (begin < 0) return [];
  const names = detail.slice(begin + 13).split("?")[0];
  const quoted = [...names.matchAll(/'([^']+)'/g)].map((found) => found[1]);
  const found = quoted.length ? quoted : names.split(/, | or /);
  return known ? found.filter((name) => known.includes(name)) : found;
}

/**
 * The errors at a place; with `within`, also those of what lies in it and has no place of its own.
 * @param {import("./document.js").Place} place @param {boolean} within
 */
export function useErrors(place, within) {
  const here = pointer(place);
  return useForm().errors.filter((error) => error.pointer === here || (within && error.pointer.startsWith(`${here}/`)));
}

/** @param {{errors: FieldError[], id?: string}} props */
export function FieldErrors({ errors, id }) {
  if (!errors.length) return null;
  return html`<div class="field-errors" id=${id}>${errors.map((error) => html`<p key=${error.detail}>${error.detail} <${Meant} of=${error} /></p><${Offers} of=${error.offers} />`)}</div>`;
}

/** @param {{of: FieldError}} props */
function Meant({ of }) {
  const form = useForm();
  const place = parts(of.pointer);
  const isName = of.detail.startsWith("There is no such field");
  const take = (/** @type {string} */ name) => {
    if (!isName) return form.set(place, name);
    const value = at(form.spec, place);
    form.set(place, undefined);
    form.set([...place.slice(0, -1), name], value);
  };
  return of.meant.map((name) => html`<button type="button" key=${name} onClick=${() => take(name)}>${name}</button> `);
}

/** Values that would do, each to be taken by a button. @param {{of?: import("./context.js").Offer[]}} props */
function Offers({ of }) {
  const form = useForm();
  if (!of?.length) return null;
  return html`<p class="offers">Nearest that can be met: ${of.map(({ label, values }) => html`<button type="button" key=${label} onClick=${() => values.forEach(([place, value]) => form.set(place, value))}>${label}</button> `)}</p>`;
}
