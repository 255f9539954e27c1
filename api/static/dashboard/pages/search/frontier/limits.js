// Costs, limits on them, and how both stand in the address and in requests.

import { count, latency } from "../../../format.js";

/** @typedef {"flops" | "params" | "latency_ns"} Cost */
/** @typedef {Partial<Record<Cost, number>>} Limits whole numbers; latency in nanoseconds */
/** @typedef {{limits: Limits, k: number, apart: number}} Asked a budget, the how many best within it, and in how many layers they differ at least */

/** @type {Record<Cost, {label: string, axis: string, format: (value: number | null | undefined) => string, typed: number}>} `typed`: units in one of what is typed */
export const COSTS = {
  flops: { label: "FLOPs", axis: "FLOPs (multiply-adds of one picture)", format: (value) => count(value), typed: 1 },
  params: { label: "Parameters", axis: "Parameters", format: (value) => count(value), typed: 1 },
  latency_ns: { label: "Latency", axis: "Latency of one picture on the search's device", format: latency, typed: 1e6 },
};

/** What can be limited: latency only where the search has measured it. @param {any} search @returns {Cost[]} */
export const costsOf = (search) => (search.spec.budget.latency_ms ? ["flops", "params", "latency_ns"] : ["flops", "params"]);

/** As `POST select` takes them. @param {Limits} limits */
export const budgetOf = ({ flops = undefined, params = undefined, latency_ns = undefined }) => ({
  flops,
  params,
  latency_ms: latency_ns === undefined ? undefined : latency_ns / 1e6,
});

/** Costs of an answer of the API, each one or several; it has latency in milliseconds. @param {Record<string, any>} costs @returns {Record<string, any>} */
export const costsIn = ({ latency_ms: latency, ...others }) => (latency === undefined ? others : { ...others, latency_ns: nanoseconds(latency) });

/** @param {number | number[]} milliseconds @returns {number | number[]} */
const nanoseconds = (milliseconds) => (Array.isArray(milliseconds) ? milliseconds.map((one) => Math.round(one * 1e6)) : Math.round(milliseconds * 1e6));

/** The budget that the search was asked for. @param {any} search @returns {Limits} */
export function limitsOfSearch(search) {
  const { flops, params, latency_ms } = search.spec.budget;
  return clean({ flops, params, latency_ns: latency_ms && Math.round(latency_ms * 1e6) });
}

/** @param {URLSearchParams} query @returns {Limits | null} null where it says none */
export function limitsOfAddress(query) {
  const found = clean(Object.fromEntries(Object.keys(COSTS).map((cost) => [cost, Number(query.get(cost)) || null])));
  return Object.keys(found).length ? found : null;
}

/** @param {Record<string, number | null | undefined>} limits @returns {Limits} */
const clean = (limits) => Object.fromEntries(Object.entries(limits).filter(([, value]) => value && Number.isFinite(value)).map(([cost, value]) => [cost, Math.round(value ?? 0)]));

const PREFIXES = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** 350M, 5.3 k, 12.5 ms as a number in units; null for what is none. @param {Cost} cost @param {string} text */
export function parse(cost, text) {
  const found = cost === "latency_ns" ? /^\s*([\d.,]+)\s*(?:ms)?\s*$/i.exec(text) : /^\s*([\d.,]+)\s*([kmgt]?)\s*$/i.exec(text);
  if (!found) return null;
  const prefix = /** @type {keyof typeof PREFIXES} */ ((found[2] ?? "").toLowerCase());
  const value = Number(found[1].replaceAll(",", "")) * PREFIXES[prefix] * COSTS[cost].typed;
  return Number.isFinite(value) && value >= 1 ? Math.round(value) : null;
}

/** In words: "730 k FLOPs and 200 k parameters". @param {Limits} limits */
export const said = (limits) =>
  Object.entries(limits)
    .map(([cost, value]) => {
      const { label, format } = COSTS[/** @type {Cost} */ (cost)];
      return cost === "latency_ns" ? format(value) : `${format(value)} ${label === "FLOPs" ? label : label.toLowerCase()}`;
    })
    .join(" and ") || "no limit";

/** A pick of the address: `flops:730000,params:200000;rank:2;apart:1`. @param {Asked & {rank: number}} pick `rank` from 1 */
export const pickText = ({ limits, rank, apart }) =>
  [Object.entries(limits).map(([cost, value]) => `${cost}:${value}`).join(","), rank > 1 && `rank:${rank}`, apart > 1 && `apart:${apart}`].filter(Boolean).join(";");

/** @param {string} text @returns {(Asked & {rank: number, text: string}) | null} */
export function pickOf(text) {
  const [first, ...rest] = text.split(";");
  /** @param {string} part @returns {[string, number]} */
  const pair = (part) => [part.split(":")[0], Number(part.split(":")[1])];
  const limits = Object.fromEntries(first.split(",").map(pair));
  const { rank = 1, apart = 1 } = Object.fromEntries(rest.map(pair));
  const whole = [...Object.values(limits), rank, apart].every((value) => Number.isSafeInteger(value) && value > 0);
  if (!whole || !Object.keys(limits).every((cost) => cost in COSTS)) return null;
  return { limits, rank, apart, k: rank, text };
}
