// What the OpenAPI document says of a field, as the form needs it: which kind of control writes it, within which limits, and what it means.

import { readable, spoken } from "./names.js";

/** @typedef {"text" | "amount" | "number" | "boolean" | "choice" | "object" | "list" | "map" | "union" | "json"} Kind */

/**
 * @typedef {object} Shape
 * @property {Kind} kind
 * @property {any} schema the one that the value itself obeys, without null
 * @property {string} title
 * @property {string} help
 * @property {any} byDefault undefined where the document names none
 * @property {boolean} nullable whether null is a value, which says something else than leaving the field out
 * @property {Record<string, any>} [fields] of an object: their schemas
 * @property {string[]} [required] of an object
 * @property {any[]} [options] of a choice; of text: what it is usually
 * @property {Shape[]} [ways] of a union
 */

/** @param {any} document @param {any} schema @returns {any} */
function resolved(document, schema) {
  if (!schema?.$ref) return schema ?? {};
  const { $ref, ...beside } = schema;
  const found = $ref.slice(2).split("/").reduce((/** @type {any} */ place, /** @type {string} */ part) => place[part], document);
  return { ...resolved(document, found), ...beside };
}

/** The spec that a route takes, without the form of a clone beside it. @param {any} document @param {string} path */
export function bodyOf(document, path) {
  const { schema } = document.paths[path].post.requestBody.content["application/json"];
  return resolved(document, (schema.oneOf ?? schema.anyOf ?? [schema])[0]);
}

/** @param {any} document @param {any} schema @param {string} [name] of the field @returns {Shape} */
export function shapeOf(document, schema, name = "") {
  const whole = resolved(document, schema);
  const ways = alternatives(document, whole);
  const values = ways.filter((way) => way.type !== "null");
  const found = kindOf(document, values.length === 1 ? { ...whole, ...values[0] } : whole, values);
  const nothing = ways.length > values.length;
  return {
    ...found,
    title: spoken(name || whole.title || found.schema.title || ""),
    help: readable(whole.description ?? found.schema.description ?? ""),
    byDefault: whole.default,
    // Where a value may be null and no other default is said, null is the default in other words; of an object it may say "none".
    nullable: nothing && (found.kind === "object" || (whole.default ?? null) !== null),
  };
}

/** All that a value may be, unions within unions taken apart. @param {any} document @param {any} schema @returns {any[]} */
function alternatives(document, schema) {
  const ways = schema.anyOf ?? schema.oneOf;
  // A number whose range has a gap stays a number.
  if (!ways || (schema.type && schema.type !== "object")) return [schema];
  return ways.flatMap((/** @type {any} */ way) => alternatives(document, resolved(document, way)));
}

/** @param {any} document @param {any} schema @param {any[]} ways @returns {any} */
function kindOf(document, schema, ways) {
  if (ways.length > 1) return ofUnion(document, schema, ways);
  const options = schema.enum ?? ("const" in schema ? [schema.const] : null);
  if (options) return { kind: "choice", schema, options };
  if (schema.type === "boolean") return { kind: "boolean", schema };
  if (schema.type === "integer" || schema.type === "number") return { kind: "number", schema };
  if (schema.type === "string") return { kind: "text", schema };
  if (schema.type === "array") return { kind: "list", schema };
  if (schema.type === "object" && schema.properties) return { kind: "object", schema, fields: schema.properties, required: schema.required ?? [] };
  if (schema.type === "object" && isScalar(document, schema.additionalProperties)) return { kind: "map", schema };
  return { kind: "json", schema };
}

/** @param {any} document @param {any} schema */
const isScalar = (document, schema) => schema && ["text", "number", "choice"].includes(kindOf(document, resolved(document, schema), [schema]).kind);

/** @param {any} document @param {any} schema @param {any[]} ways @returns {any} */
function ofUnion(document, schema, ways) {
  const types = new Set(ways.map((way) => way.type));
  if (types.size === 1 && types.has("string")) return { kind: "text", schema: Object.assign({}, ...ways, { enum: undefined }), options: ways.flatMap((way) => way.enum ?? []) };
  if ([...types].every((type) => ["integer", "number", "string"].includes(type)) && ways.length === 2) return { kind: "amount", schema: ways.find((way) => way.type !== "string") };
  return { kind: "union", schema, ways: ways.map((way) => shapeOf(document, way)) };
}

/** The shape of what a list holds, or of the values of a map. @param {any} document @param {Shape} shape */
export const inner = (document, shape) => shapeOf(document, shape.kind === "map" ? shape.schema.additionalProperties : shape.schema.items);

/** Which of its forms a value of a union has; -1 where none. @param {Shape[]} ways @param {any} value */
export function wayOf(ways, value) {
  const fits = ways.map((way) => fit(way, value));
  const best = Math.max(...fits);
  return best > 0 ? fits.indexOf(best) : -1;
}

/** How well a value fits a shape: 0 not at all. @param {Shape} shape @param {any} value @returns {number} */
function fit(shape, value) {
  const type = value === null ? "null" : Array.isArray(value) ? "list" : typeof value;
  if (shape.kind === "choice") return shape.options?.includes(value) ? 2 : 0;
  if (shape.kind === "object" || shape.kind === "map") return type === "object" ? 1 + likeness(shape, value) : 0;
  return { text: type === "string", amount: type === "string" || type === "number", number: type === "number", boolean: type === "boolean", list: type === "list" }[String(shape.kind)] ? 1 : 0;
}

/** Whether what a form of an object fixes (`kind`) is so in the value. @param {Shape} shape @param {any} value */
function likeness(shape, value) {
  const fixed = Object.entries(shape.fields ?? {}).filter(([, schema]) => "const" in schema);
  return fixed.reduce((sum, [name, schema]) => sum + ((value[name] ?? schema.default) === schema.const ? 1 : -0.4), 0);
}

/** "1 to 10,000", "above 0". @param {any} schema of a number */
export function limits(schema) {
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum ?? schema.exclusiveMaximum;
  const write = (/** @type {number} */ value) => value.toLocaleString("en-US", { maximumFractionDigits: 6 });
  const from = low === undefined ? "" : schema.minimum === undefined ? `above ${write(low)}` : write(low);
  const to = high === undefined || high >= 1e9 ? "" : schema.maximum === undefined ? `below ${write(high)}` : write(high);
  if (from && to) return `${from} to ${to}`;
  return from ? (schema.minimum === undefined ? from : `${from} or more`) : to && `up to ${to}`;
}
