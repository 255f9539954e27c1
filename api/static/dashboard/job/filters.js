// What a list of jobs may be narrowed by. All of it stands in the address, so that a view can be linked to.

import { exact } from "../format.js";
import { useResource } from "../hooks.js";
import { ask, usePlace } from "../router.js";
import { html, useEffect, useId, useRef, useState } from "../view.js";
import { PRIORITIES } from "./priority.js";

const STATES = ["queued", "running", "succeeded", "failed", "cancelled"];

/** What narrows the list; selected rows are another thing. */
const NAMES = ["state", "priority", "dataset", "label", "q", "project", "created_after", "created_before"];

/** Keystrokes in the text filter are waited for. Milliseconds. */
const PAUSE = 300;

/** @typedef {{state: string[], priority: string | null, dataset: string | null, label: string[], q: string | null, project: string | null, created_after: string | null, created_before: string | null}} Asked */

/**
 * The filters of the address, as the API takes them.
 * @param {URLSearchParams} query
 * @returns {Asked}
 */
export function asked(query) {
  return {
    state: query.getAll("state").filter((state) => STATES.includes(state)),
    priority: PRIORITIES.find((priority) => priority === query.get("priority")) ?? null,
    dataset: query.get("dataset"),
    label: query.getAll("label"),
    q: query.get("q"),
    project: query.get("project"),
    created_after: beginning(query.get("created_after")),
    created_before: beginning(query.get("created_before"), 1),
  };
}

/**
 * When a day begins for the reader, or the one so many days after it.
 * @param {string | null} day such as 2026-11-26
 * @param {number} [later] in days
 */
function beginning(day, later = 0) {
  const [year, month, date] = (day ?? "").split("-").map(Number);
  const time = new Date(year, month - 1, date + later);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/** @param {URLSearchParams} query */
export const isNarrowed = (query) => NAMES.some((name) => query.get(name));

/** Changes the filters; what was selected is not carried over to rows that nobody has seen. @param {Record<string, string | string[] | null>} changes */
const narrow = (changes) => ask({ ...changes, pick: null });

export const clear = () => narrow(Object.fromEntries(NAMES.map((name) => [name, null])));

/** `name:value`, as lists are asked for it. @param {string} name @param {string} value */
const written = (name, value) => `${name.replace(/[\\:]/g, "\\$&")}:${value}`;

/** Shows only what has this label as well. @param {string} name @param {string} value */
export function addLabel(name, value) {
  const label = written(name, value);
  const there = new URLSearchParams(location.hash.split("?")[1]).getAll("label");
  if (!there.includes(label)) narrow({ label: [...there, label] });
}

/** Shows only what has this priority. @param {string} priority */
export const ofPriority = (priority) => narrow({ priority });

/** Shows only what is of this project. @param {string} project */
export const ofProject = (project) => narrow({ project });

/** @param {{counts: Record<string, number> | null}} props how many searches the other filters leave in each state */
export function Filters({ counts }) {
  const { query } = usePlace();
  return html`<search class="filters" aria-label="Filters">
    <${States} counts=${counts} chosen=${query.getAll("state")} />
    <${Text} value=${query.get("q") ?? ""} />
    <${DatasetName} value=${query.get("dataset") ?? ""} />
    <${LabelField} labels=${query.getAll("label")} />
    <${Day} name="created_after" label="Asked for since" value=${query.get("created_after") ?? ""} />
    <${Day} name="created_before" label="until" value=${query.get("created_before") ?? ""} />
    <${PriorityField} value=${asked(query).priority ?? ""} />
    ${isNarrowed(query) && html`<button type="button" onClick=${clear}>Clear filters</button>`}
  </search>
  <${Chosen} labels=${query.getAll("label")} project=${query.get("project")} />`;
}

/** @param {{counts: Record<string, number> | null, chosen: string[]}} props */
function States({ counts, chosen }) {
  const turn = (/** @type {string} */ state) =>
    narrow({ state: chosen.includes(state) ? chosen.filter((one) => one !== state) : [...chosen, state] });
  return html`<div class="chips" role="group" aria-label="States">
    ${STATES.map((state) => html`<button key=${state} type="button" class="chip" aria-pressed=${chosen.includes(state)} onClick=${() => turn(state)}>
      <span class="state state-${state}">${state}</span>${counts && html` <span class="faint">${exact(counts[state])}</span>`}
    </button>`)}
  </div>`;
}

/**
 * What is typed into a field, until it is the address's: the list may be drawn anew meanwhile.
 * @param {string} value of the address
 * @returns {[string, (text: string) => void]}
 */
function useDraft(value) {
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  return [draft, setDraft];
}

/** @param {{value: string}} props */
function Text({ value }) {
  const [draft, setDraft] = useDraft(value);
  const waiting = useRef(0);
  useEffect(() => () => clearTimeout(waiting.current), []);
  const typed = (/** @type {any} */ event) => {
    const text = event.target.value;
    setDraft(text);
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => narrow({ q: text }), PAUSE);
  };
  return html`<label>Name has <input type="search" maxlength="200" value=${draft} onInput=${typed} /></label>`;
}

/** @param {{value: string}} props */
const PriorityField = ({ value }) => html`<label>Priority
  <select value=${value} onChange=${(/** @type {any} */ event) => ofPriority(event.target.value)}>
    <option value="">any</option>
    ${PRIORITIES.map((priority) => html`<option key=${priority} value=${priority}>${priority}</option>`)}
  </select>
</label>`;

/** A name that is not in the list can be written as well. @param {{value: string}} props */
function DatasetName({ value }) {
  const { data } = useResource("datasets", { limit: 100 });
  const [draft, setDraft] = useDraft(value);
  const list = useId();
  return html`<label>Dataset
    <input type="search" list=${list} maxlength="200" value=${draft} onInput=${(/** @type {any} */ event) => setDraft(event.target.value)}
      onChange=${(/** @type {any} */ event) => narrow({ dataset: event.target.value.trim() })} />
    <datalist id=${list}>${(data?.items ?? []).map((/** @type {any} */ dataset) => html`<option key=${dataset.id} value=${dataset.name}></option>`)}</datalist>
  </label>`;
}

/** @param {{labels: string[]}} props */
function LabelField({ labels }) {
  const [text, setText] = useState("");
  const add = (/** @type {Event} */ event) => {
    event.preventDefault();
    const label = text.trim();
    if (!label) return;
    if (!labels.includes(label)) narrow({ label: [...labels, label] });
    setText("");
  };
  return html`<form class="joined" onSubmit=${add}>
    <label>Label <input value=${text} maxlength="400" placeholder="name:value" onInput=${(/** @type {any} */ event) => setText(event.target.value)} /></label>
    <button disabled=${!text.trim()}>Add</button>
  </form>`;
}

/** What is asked for beside the fields, each to be taken away again. @param {{labels: string[], project: string | null}} props */
function Chosen({ labels, project }) {
  if (!labels.length && !project) return null;
  return html`<p class="chosen">
    ${project && html`Of the project <${Chip} text=${project} without=${() => narrow({ project: null })} /> `}
    ${labels.length > 0 && "With the labels "}
    ${labels.map((label) => html`<${Chip} key=${label} text=${label} without=${() => narrow({ label: labels.filter((one) => one !== label) })} />`)}
  </p>`;
}

/** @param {{text: string, without: () => void}} props */
const Chip = ({ text, without }) => html`<span class="label">
  ${text} <button type="button" class="plain" aria-label="Without ${text}" onClick=${without}>✕</button>
</span>`;

/** @param {{name: string, label: string, value: string}} props */
const Day = ({ name, label, value }) =>
  html`<label>${label} <input type="date" value=${value} onChange=${(/** @type {any} */ event) => narrow({ [name]: event.target.value })} /></label>`;
