// What the fields of a form are called on it, by their place: in the form's own words where it has some, else as they are drawn from the
// schema. The service's sentences are told with these names: those of the API are for programs.

import { pointer } from "./document.js";
import { readable, spoken } from "./names.js";
import { shapeOf } from "./schema.js";

/** @typedef {import("./document.js").Place} Place */

/**
 * @typedef {object} Labels
 * @property {(place: Place) => string | undefined} own what the form itself calls the field, in place of the schema's name
 * @property {(place: Place) => string} short leads to it from elsewhere: "Training of the winner: Learning rate"
 * @property {(text: string, place: Place) => string} tell a sentence of the service about a place, with the names of the form
 */

/** @param {any} api @param {any} schema of the spec @param {import("./page.js").JobForm} of @returns {Labels} */
export function labelsOf(api, schema, of) {
  const own = (/** @type {Place} */ place) => of.labels[pointer(place)];
  const short = (/** @type {Place} */ place) => path(place, own, groupOf(of, place)) || "The request";
  const known = (/** @type {Place} */ place) => place.length > 0 && isField(api, schema, place);
  return { own, short, tell: (text, place) => told(text, place, known, short) };
}

/** The title of the group that holds an object's fields. @param {import("./page.js").JobForm} of @param {Place} place */
const groupOf = (of, place) => (place.length > 1 ? of.groups.find(([, , inside]) => inside.of === place[0])?.[0] : undefined);

/** @param {Place} place @param {(place: Place) => string | undefined} own @param {string | undefined} group @returns {string} */
function path(place, own, group) {
  /** @type {string[]} */
  let names = [];
  place.forEach((part, depth) => {
    const called = own(place.slice(0, depth + 1));
    if (called) names = [brief(called)];
    else if (/^\d+$/.test(String(part)) && depth) names.push(`${names.pop()} ${Number(part) + 1}`);
    else names.push(depth || !group ? brief(spoken(String(part))) : group);
  });
  return names.join(": ");
}

/** "Latency, at most (ms)" in a list of names: "Latency". @param {string} label */
const brief = (label) => label.split(/, | \(/)[0];

/** Whether a spec may have a field there. @param {any} api @param {any} schema @param {Place} place @returns {boolean} */
function isField(api, schema, [part, ...rest]) {
  const shape = shapeOf(api, schema);
  const inside = [shape, ...(shape.ways ?? [])].find(({ fields }) => fields && Object.hasOwn(fields, part))?.fields?.[part];
  return inside !== undefined && (!rest.length || isField(api, inside, rest));
}

/** What somebody has written stands between quotes, and stays as it is. */
const QUOTED = /((?<!\w)'[^']*'|"[^"]*")/;

/** `retrain.batch_size`, or `batch_size` alone, beside the place that is spoken of or at the top. */
const NAME = /\b[a-z]\w*(?:[._][a-z0-9]\w*)+\b/g;

/** @param {string} text @param {Place} place @param {(place: Place) => boolean} known @param {(place: Place) => string} short */
function told(text, place, known, short) {
  const said = (/** @type {string} */ name) => {
    const parts = name.split(".");
    const found = [parts, [...place.slice(0, -1), ...parts], [...place, ...parts]].find(known);
    return found ? `“${short(found)}”` : name;
  };
  const pieces = text.split(QUOTED).map((piece, n) => (n % 2 ? piece : readable(piece).replace(NAME, said)));
  return pieces.join("");
}
