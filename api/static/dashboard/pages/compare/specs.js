// What searches were asked to do, field by field, and where they differ.

import { exact } from "../../format.js";

/** What says nothing of how a search computes: other columns name it, or it follows from other fields. */
const LEFT_OUT = new Set(["name", "labels", "job"]);

/** @typedef {{field: string, values: string[], differs: boolean}} Row */

/**
 * A row for each field that any of the specs has, in the order in which they have them.
 * @param {any[]} specs
 * @returns {Row[]}
 */
export function rows(specs) {
  const flat = specs.map((spec) => new Map(fields(spec)));
  const names = [...new Set(flat.flatMap((spec) => [...spec.keys()]))];
  return names
    .toSorted((one, other) => rank(one) - rank(other))
    .filter((name) => !LEFT_OUT.has(name.split(".")[0]))
    .map((field) => {
      const values = flat.map((spec) => spec.get(field) ?? "–");
      return { field, values, differs: new Set(values).size > 1 };
    });
}

/** The field of a teacher that was taken over. */
export const GIVEN = "teacher.given";

/** What people change first stands first. */
const FIRST = ["dataset", "budget", "teacher", "space", "input_size", "training", "select", "retrain"];

/** @param {string} field */
function rank(field) {
  const place = FIRST.indexOf(field.split(".")[0]);
  return place < 0 ? FIRST.length : place;
}

/**
 * `[["budget.flops", "350000000"], ...]`: what is nested by its path.
 * @param {any} value
 * @param {string} [path]
 * @returns {[string, string][]}
 */
function fields(value, path = "") {
  if (value === null || typeof value !== "object") return [[path, written(value)]];
  // All else about a teacher that was taken over follows from where it came from.
  if (path === GIVEN) return [[path, `${value.model} of ${value.kind} ${value.source}`]];
  if (Array.isArray(value) && value.every((one) => one === null || typeof one !== "object")) return [[path, value.map(written).join(", ") || "none"]];
  const named = Object.entries(value);
  return named.length ? named.flatMap(([name, one]) => fields(one, path ? `${path}.${name}` : name)) : [[path, "none"]];
}

/** @param {any} value */
function written(value) {
  if (value === null) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" && Number.isInteger(value) && value >= 10_000) return exact(value);
  // Ten digits are more than anybody has asked for; those behind them are of how numbers are kept.
  return typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(10))) : String(value);
}
