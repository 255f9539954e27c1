// The networks of a search as its pages speak of them.

import { count } from "../../format.js";

/** @param {any} search */
export const winnerOf = (search) => search.architectures.find((/** @type {any} */ network) => network.role === "winner") ?? null;

/** Winner, control and references, in this order. @param {any} search @returns {any[]} */
export const compared = (search) =>
  ["winner", "control", "reference"].flatMap((role) => search.architectures.filter((/** @type {any} */ network) => network.role === role));

/** Those kept from it that trainings of their own have trained on its images. @param {any} search @returns {any[]} */
export const trainedSince = (search) =>
  search.architectures.filter((/** @type {any} */ network) => network.role === "selected" && network.test);

/** What a network is called. @param {any} network */
export const called = (network) =>
  ({ winner: "Winner", control: "Control" })[/** @type {string} */ (network.role)] ??
  network.name ??
  (network.role === "selected" ? `Selected, ${count(network.flops)} FLOPs` : network.role);

/** A step that has succeeded; null before. @param {any} search @param {string} key */
export const stepOf = (search, key) => search.steps.find((/** @type {any} */ step) => step.key === key && step.state === "succeeded") ?? null;

/** What it does just now, for those who wait for something that comes later. @param {any} search */
export function meanwhile(search) {
  const ended = { failed: "The search failed before.", cancelled: "The search was cancelled before; it can be resumed.", succeeded: "" }[/** @type {string} */ (search.state)];
  if (ended !== undefined) return ended;
  if (search.cancel_requested) return "It is being cancelled; it can be resumed.";
  if (search.state === "queued") return "The search has not begun yet.";
  return `Now: ${NOW[search.phase] ?? search.phase}.`;
}

/** @type {Record<string, string>} */
const NOW = {
  latency: "layers are timed on the device",
  teacher: "the teacher is trained or loaded",
  distill: "the cells learn from the teacher, block by block",
  rate: "every path of every cell is rated",
  time: "networks that may win are timed",
  finalists: "the best rated networks are trained for a short time",
  select: "the winner is selected",
  train: "the winner and those beside it are trained",
  export: "the trained networks are exported",
};
