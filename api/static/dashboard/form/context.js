// What every part of a form shares: the document that is written, how to change it, and what the service says of it.

import { createContext, useContext } from "../view.js";
import { at, pointer } from "./document.js";

/** @typedef {import("./document.js").Place} Place */
/** @typedef {{label: string, values: [Place, any][]}} Offer what may be written instead */
/** @typedef {{pointer: string, detail: string, meant: string[], offers?: Offer[]}} FieldError `meant`: names to be taken in its place */

/**
 * @typedef {object} Form
 * @property {any} api the OpenAPI document
 * @property {import("./labels.js").Labels} labels
 * @property {any} spec as far as it is written
 * @property {(place: Place, value: any) => void} set undefined takes it out
 * @property {(place: Place, text: string | null) => void} setRough a text that is no value yet, or none
 * @property {(place: Place) => string | undefined} roughAt
 * @property {FieldError[]} errors
 * @property {any} resolved the spec as the service understands it, with all defaults; null while it is not known
 */

export const FormContext = createContext(/** @type {any} */ (null));

/** @returns {Form} */
export const useForm = () => useContext(FormContext);

/** The value at a place, and what it takes to change it. @param {Place} place */
export function useValue(place) {
  const form = useForm();
  return { value: at(form.spec, place), set: (/** @type {any} */ value) => form.set(place, value) };
}

/** What holds where nothing is written: what the service makes of it, else the document's default. @param {Place} place @param {any} byDefault */
export function useDefault(place, byDefault) {
  const known = at(useForm().resolved, place);
  return known === undefined || known === null || typeof known === "object" ? byDefault : known;
}

/** @param {Place} place */
export const fieldId = (place) => `field${pointer(place)}`;
