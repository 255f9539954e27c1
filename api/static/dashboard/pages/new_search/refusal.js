// Why no network keeps within the budget, at the limits that no network meets, with the nearest budgets that one does.

import { exact, milliseconds } from "../../format.js";
import { costValue } from "./costs.js";

/** @typedef {import("../../form/context.js").FieldError} FieldError */

const SMALLEST = /** @type {Record<string, (least: number) => string>} */ ({
  flops: (least) => `No network of this space has so few multiply-adds: the smallest has ${exact(least)}.`,
  params: (least) => `No network of this space has so few parameters: the smallest has ${exact(least)}.`,
  latency_ms: (least) => `No network of this space is so fast: the fastest takes ${milliseconds(least)}.`,
});

/**
 * @param {{binding: string[], nearest: Record<string, number>[], feasible: Record<string, [number, number]>}} said by the service
 * @param {any} budget as it is written
 * @returns {FieldError[]}
 */
export function refusalOf({ binding, nearest, feasible }, budget) {
  const alone = binding.filter((name) => feasible[name] && (costValue(budget?.[name]) ?? Infinity) < feasible[name][0]);
  const together = binding.length > 2 ? "not all together" : "not both together";
  const found = alone.length
    ? alone.map((name) => ({ pointer: `#/budget/${name}`, detail: SMALLEST[name](feasible[name][0]), meant: [] }))
    : [{ pointer: "#/budget", detail: `Each of these limits can be met, but ${together}.`, meant: [] }];
  return found.map((error, n) => (n ? error : { ...error, offers: nearest.map(offer) }));
}

/** @param {Record<string, number>} budget @returns {import("../../form/context.js").Offer} */
function offer(budget) {
  const costs = Object.entries(budget).map(([name, value]) => /** @type {const} */ ([name, name === "latency_ms" ? roundedUp(value) : value]));
  return { label: costs.map(([name, value]) => said(name, value)).join(" and "), values: costs.map(([name, value]) => [["budget", name], value]) };
}

/** @param {string} name @param {number} value */
const said = (name, value) => (name === "latency_ms" ? `${value} ms` : `${exact(value)} ${{ flops: "multiply-adds", params: "parameters" }[name] ?? name}`);

/** Milliseconds in four digits, not below what they are: a limit that is rounded down is met no more. @param {number} value */
function roundedUp(value) {
  const nanoseconds = Math.round(value * 1e6);
  const step = 10 ** Math.max(String(nanoseconds).length - 4, 0);
  return (Math.ceil(nanoseconds / step) * step) / 1e6;
}
