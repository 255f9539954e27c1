// Numbers and times as people write them. Everything takes null or undefined for what is not known, and shows a dash.

import { now } from "./clock.js";

const NONE = "–";

/** @typedef {number | null | undefined} Maybe */

/**
 * 348 M, 5.3 M, 1.2 k: three digits and a prefix.
 * @param {Maybe} value
 * @param {string} [unit]
 */
export function count(value, unit = "") {
  if (value === null || value === undefined) return NONE;
  const step = Math.abs(value) < 1000 ? 0 : Math.min(Math.floor(Math.log10(Math.abs(value)) / 3), 5);
  let scaled = value / 1000 ** step;
  let prefix = ["", "k", "M", "G", "T", "P"][step];
  if (Math.abs(scaled) >= 999.5 && step < 5) [scaled, prefix] = [scaled / 1000, ["k", "M", "G", "T", "P"][step]];
  const text = step || !Number.isInteger(value) ? trim(scaled.toPrecision(3)) : String(value);
  return [text, prefix + unit].filter(Boolean).join(" ");
}

/** @param {string} text a decimal number */
const trim = (text) => (text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text);

/** 1,234,567: every digit. @param {Maybe} value */
export const exact = (value) => (value === null || value === undefined ? NONE : value.toLocaleString("en-US"));

/** 91.2%. @param {Maybe} share 0 to 1 @param {number} [digits] */
export const percent = (share, digits = 1) =>
  share === null || share === undefined ? NONE : `${(100 * share).toFixed(digits)}%`;

/** 42%, of something that goes on: all of it is only what has ended. @param {Maybe} share 0 to 1 */
export const progress = (share) => percent(share === null || share === undefined ? share : Math.min(Math.floor(100 * share), 99) / 100, 0);

/** 89.1–93.0%. @param {[number, number] | null | undefined} interval shares, 0 to 1 */
export const interval = (interval) =>
  interval ? `${(100 * interval[0]).toFixed(1)}–${(100 * interval[1]).toFixed(1)}%` : NONE;

/** 0.1235, 1.2e-5. @param {Maybe} value */
export function loss(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return NONE;
  if (value === 0) return "0";
  return Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5 ? value.toExponential(2) : trim(value.toPrecision(4));
}

/** 12.3 ms. @param {Maybe} value */
export function milliseconds(value) {
  if (value === null || value === undefined) return NONE;
  return `${value >= 1000 ? exact(Math.round(value)) : trim(value.toPrecision(3))} ms`;
}

/** 12.3 ms. @param {Maybe} nanoseconds */
export const latency = (nanoseconds) => milliseconds(nanoseconds && nanoseconds / 1e6);

/** 2 h 5 m, 3 m 20 s, 12 s. @param {Maybe} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE;
  if (seconds < 10) return `${trim(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "m"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value);
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(" ");
}

/** 1.5 MB, in powers of 1000. @param {Maybe} size */
export const bytes = (size) => (size !== null && size !== undefined && size < 1000 ? `${size} B` : count(size, "B"));

/** Seconds from one time to another, or until now. @param {string} from @param {string | null} [to] */
export const between = (from, to = null) => ((to ? Date.parse(to) : now()) - Date.parse(from)) / 1000;

/** "5 m ago". @param {string | null | undefined} time */
export function age(time) {
  if (!time) return NONE;
  const seconds = between(time);
  if (seconds < 5) return "just now";
  return `${duration(seconds < 60 ? Math.round(seconds) : seconds).split(" ").slice(0, 2).join(" ")} ago`;
}

/** The reader's own time: 26 Nov 2026, 14:03:12. @param {string} time */
export const local = (time) => new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** 2026-11-26 13:03:12 UTC. @param {string} time */
export const utc = (time) => `${new Date(time).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Control characters but the line break, and those that turn the direction of what follows: as text they would hide or move other text. */
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text in which such characters are seen instead of obeyed: `\x1b[31m`. @param {string} text */
export const plain = (text) =>
  text.replace(STEERING, (character) => {
    if (character === "\t") return "    ";
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
