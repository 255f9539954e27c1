// What a key may use at most, and what it uses of it.

import { bytes, count, percent } from "../../format.js";
import { PRIORITIES } from "../../job/priority.js";
import { html } from "../../view.js";

const GB = 1e9;

/**
 * @typedef {object} Limit
 * @property {string} name as the API has it
 * @property {string} label
 * @property {number} unit of the field in a form, in units of the API
 * @property {string} step of the field
 * @property {(value: number) => string} shown
 */

/** @type {Limit[]} */
export const LIMITS = [
  { name: "running_jobs", label: "Jobs that run at once", unit: 1, step: "1", shown: (value) => count(value) },
  { name: "queued_jobs", label: "Jobs that wait", unit: 1, step: "1", shown: (value) => count(value) },
  { name: "device_hours", label: "Device-hours in 30 days", unit: 1, step: "any", shown: (value) => `${count(value)} h` },
  { name: "requests_per_second", label: "Requests a second", unit: 1, step: "any", shown: (value) => count(value) },
  { name: "stored_bytes", label: "Stored data, GB", unit: GB, step: "any", shown: bytes },
];

/** What the limit of the priorities that it gives to its jobs is called. */
const HIGHEST = "Highest priority";

/** Those that there are, in a line. @param {any} limits */
export function inLine(limits) {
  const counted = LIMITS.filter(({ name }) => (limits[name] ?? null) !== null);
  const said = counted.map(({ name, label, shown }) => [label.split(",")[0], shown(limits[name])]);
  if (limits.priority) said.push([HIGHEST, limits.priority]);
  return said.map(([label, most]) => `${label}: ${most}`).join("; ");
}

/** @param {{limits: any, used: any}} props `used` is null where nobody counts */
export function Use({ limits, used }) {
  return html`<dl class="facts">
    ${LIMITS.map(({ name, label, shown }) => html`<div key=${name}>
      <dt>${label.split(",")[0]}</dt>
      <dd><${Share} used=${used?.[name]} most=${limits[name]} shown=${shown} label=${label} /></dd>
    </div>`)}
    <div><dt>${HIGHEST}</dt><dd>${limits.priority ?? html`<span class="faint">no limit</span>`}</dd></div>
  </dl>`;
}

/** @param {{used: number | undefined, most: number | null, shown: (value: number) => string, label: string}} props */
function Share({ used, most, shown, label }) {
  if (used === undefined) return most === null ? html`<span class="faint">no limit</span>` : html`at most ${shown(most)}`;
  if (most === null) return html`${shown(used)} <span class="faint">no limit</span>`;
  const share = most > 0 ? used / most : 1;
  return html`${shown(used)} of ${shown(most)}
    <span class="progress"><progress max="1" value=${Math.min(share, 1)} aria-label="${label}: used"></progress><span class=${share >= 1 ? "bad-text" : "faint"}>${percent(share, 0)}</span></span>`;
}

/** Fields of a form. @param {{limits: any, empty: string, none: string}} props `empty` says what an empty field means, `none` the same in two words */
export function LimitFields({ limits, empty, none }) {
  return html`<fieldset><legend>Limits</legend>
    <p class="faint">${empty}</p>
    <div class="fields">${LIMITS.map(({ name, label, unit, step }) => html`<label key=${name}>${label}
      <input type="number" name=${name} min="0" step=${step} defaultValue=${limits[name] === null || limits[name] === undefined ? "" : limits[name] / unit} />
    </label>`)}
      <label>${HIGHEST}
        <select name="priority">
          <option value="">${none}</option>
          ${PRIORITIES.map((priority) => html`<option key=${priority} value=${priority} selected=${limits.priority === priority}>${priority}</option>`)}
        </select>
      </label>
    </div>
  </fieldset>`;
}

/**
 * The limits that a form names; null for those that are empty.
 * @param {FormData} form
 * @returns {Record<string, number | string | null>}
 */
export function limitsOf(form) {
  const numbers = LIMITS.map(({ name, unit }) => {
    const text = String(form.get(name) ?? "").trim();
    return [name, text === "" ? null : unit === 1 ? Number(text) : Math.round(Number(text) * unit)];
  });
  return { ...Object.fromEntries(numbers), priority: String(form.get("priority") ?? "") || null };
}
