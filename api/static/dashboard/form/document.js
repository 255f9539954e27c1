// A JSON document that is being written: values by their place, which is a JSON pointer's parts, and the merge patch between two documents.
// Names of fields are users' own (labels): objects are made anew with computed names, never assigned to, so that `__proto__` is a name as any.

/** @typedef {(string | number)[]} Place */

/** @param {any} value */
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {any} document @param {Place} place @returns {any} undefined where there is nothing */
export function at(document, place) {
  let found = document;
  for (const part of place) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, part)) return undefined;
    found = found[part];
  }
  return found;
}

/**
 * The document with another value at a place; undefined takes it out, and an object that is empty by that goes too.
 * @param {any} document @param {Place} place @param {any} value
 * @returns {any}
 */
export function put(document, place, value) {
  if (!place.length) return value;
  const [part, ...rest] = place;
  if (Array.isArray(document)) {
    const items = [...document];
    const item = put(items[Number(part)], rest, value);
    if (item === undefined && !rest.length) items.splice(Number(part), 1);
    else items[Number(part)] = item;
    return items;
  }
  const before = isObject(document) ? document : {};
  const inner = put(Object.hasOwn(before, part) ? before[part] : undefined, rest, value);
  const { [part]: _, ...others } = before;
  if (inner === undefined || (rest.length && value === undefined && isObject(inner) && !Object.keys(inner).length)) return others;
  return Object.hasOwn(before, part)
    ? Object.fromEntries(Object.entries(before).map(([name, old]) => [name, name === String(part) ? inner : old]))
    : { ...before, [part]: inner };
}

/** @param {any} one @param {any} other */
export const same = (one, other) => sorted(one) === sorted(other);

/** @param {any} value @returns {string} as JSON, whatever the order of its fields */
function sorted(value) {
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "undefined";
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${sorted(value[name])}`).join()}}`;
}

/**
 * What lies over one document to make it the other, as RFC 7396 has it; null where no patch can, for null takes out.
 * @param {any} before @param {any} after objects
 * @returns {any | null}
 */
export function patchBetween(before, after) {
  /** @type {[string, any][]} */
  const changes = Object.keys(before).filter((name) => !Object.hasOwn(after, name)).map((name) => [name, null]);
  for (const [name, value] of Object.entries(after)) {
    const old = at(before, [name]);
    if (same(old, value)) continue;
    const inner = isObject(value) ? patchBetween(isObject(old) ? old : {}, value) : value;
    if (inner === null) return null;
    changes.push([name, inner]);
  }
  return Object.fromEntries(changes);
}

/** What a patch makes of a document (RFC 7396). @param {any} document @param {any} patch @returns {any} */
export function merged(document, patch) {
  if (!isObject(patch)) return patch;
  const before = isObject(document) ? document : {};
  const kept = Object.entries(before).filter(([name]) => !Object.hasOwn(patch, name));
  const laid = Object.entries(patch)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, merged(at(before, [name]), value)]);
  return Object.fromEntries([...kept, ...laid]);
}

/** `#/budget/flops`, as problems of the service point at fields. @param {Place} place */
export const pointer = (place) => `#${place.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("")}`;

/** @param {string} text @returns {Place} */
export const parts = (text) => text.replace(/^#\/?/, "").split("/").filter((part, n, all) => part || all.length > 1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
