// Axes of parallel coordinates: where a value of a recipe's field stands between the bottom (0) and the top (1).

import { loss, percent } from "../../format.js";
import { valueOf } from "./data.js";

/** @typedef {import("./data.js").Trial} Trial */
/**
 * @typedef {object} Axis
 * @property {string} field
 * @property {(trial: Trial) => number | null} at 0 to 1
 * @property {{at: number, text: string}[]} ticks
 * @property {((place: number) => number) | null} value what stands at a place; null where there are only choices
 */

/**
 * One for each field that was tried, and one for the accuracy.
 * @param {Record<string, any>} search what the tuning tries, from its spec
 * @param {Trial[]} trials
 * @returns {Axis[]}
 */
export function axesOf(search, trials) {
  const fields = Object.entries(search).map(([field, tried]) => (tried.choices ? choices(field, tried.choices) : range(field, tried)));
  const values = trials.flatMap(({ value }) => (value === null ? [] : [value]));
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  return [...fields, spread("accuracy", low, high === low ? low + 1e-3 : high, false, percent)];
}

/** @param {string} field @param {{low: number, high: number, log?: boolean}} tried @returns {Axis} */
const range = (field, { low, high, log = false }) => spread(field, low, high === low ? low + 1 : high, log, loss);

/**
 * @param {string} field
 * @param {number} low
 * @param {number} high
 * @param {boolean} log
 * @param {(value: number) => string} said
 * @returns {Axis}
 */
function spread(field, low, high, log, said) {
  const to = log ? Math.log : (/** @type {number} */ value) => value;
  const from = log ? Math.exp : (/** @type {number} */ value) => value;
  // The ends are themselves, not what rounding makes of them.
  const value = (/** @type {number} */ place) => (place === 0 ? low : place === 1 ? high : from(to(low) + place * (to(high) - to(low))));
  return {
    field,
    at: (trial) => {
      const found = valueOf(trial, field);
      return typeof found === "number" ? (to(found) - to(low)) / (to(high) - to(low)) : null;
    },
    ticks: [0, 0.5, 1].map((place) => ({ at: place, text: said(value(place)) })),
    value,
  };
}

/** @param {string} field @param {import("./data.js").Value[]} tried @returns {Axis} */
function choices(field, tried) {
  const place = (/** @type {number} */ number) => (tried.length === 1 ? 0.5 : number / (tried.length - 1));
  return {
    field,
    at: (trial) => {
      const number = tried.findIndex((choice) => choice === valueOf(trial, field));
      return number < 0 ? null : place(number);
    },
    ticks: tried.map((choice, number) => ({ at: place(number), text: String(choice) })),
    value: null,
  };
}
