// What the list and the plot of networks are narrowed by. All of it stands in the address.

import { useResource } from "../../hooks.js";
import { Explained, ROLES as EXPLAINED } from "../../parts/explained.js";
import { Typed } from "../../parts/typed.js";
import { ask, usePlace } from "../../router.js";
import { html, useEffect, useId, useRef, useState } from "../../view.js";
import { meant } from "../network/called.js";

const ROLES = ["winner", "control", "selected", "reference", "given"];

/** Ranges by what the API calls them; accuracies are typed in percent. */
const RANGES = [
  { name: "flops", label: "FLOPs", example: "350M" },
  { name: "params", label: "Parameters", example: "5.3M" },
  { name: "accuracy", label: "Accuracy, %", example: "90" },
];
const ENDS = ["min", "max"];

const NAMES = ["q", "search", "dataset", "role", ...RANGES.flatMap(({ name }) => ENDS.map((end) => `${name}_${end}`))];

/** Keystrokes in the text filter are waited for. Milliseconds. */
const PAUSE = 300;

/** As the API takes them. @param {URLSearchParams} query @returns {import("../../client.js").Query} */
export function asked(query) {
  const found = Object.fromEntries(NAMES.map((name) => [name, query.get(name)]));
  for (const end of ENDS) {
    const share = Number(query.get(`accuracy_${end}`)) / 100;
    found[`accuracy_${end}`] = query.get(`accuracy_${end}`) && share >= 0 && share <= 1 ? String(share) : null;
  }
  // What is typed may be a title as the list shows it.
  const { role, q } = meant(query.get("q") ?? "");
  const roles = query.getAll("role").filter((role) => ROLES.includes(role));
  return { ...found, q, role: [...roles, ...(role ? [String(role)] : [])] };
}

/** @param {URLSearchParams} query */
export const isNarrowed = (query) => NAMES.some((name) => query.get(name));

export const clear = () => ask(Object.fromEntries(NAMES.map((name) => [name, null])));

/** @param {{searches: any[]}} props */
export function Filters({ searches }) {
  const { query } = usePlace();
  const roles = query.getAll("role");
  const turn = (/** @type {string} */ role) => ask({ role: roles.includes(role) ? roles.filter((one) => one !== role) : [...roles, role] });
  return html`<search class="filters" aria-label="Filters">
    <div class="chips" role="group" aria-label="Roles">
      ${ROLES.map((role) => html`<button key=${role} type="button" class="chip" title=${EXPLAINED[role]} aria-pressed=${roles.includes(role)} onClick=${() => turn(role)}>${role}</button>`)}
    </div>
    <${Field} name="q" label="Name has" value=${query.get("q") ?? ""} />
    <${SearchOf} searches=${searches} value=${query.get("search") ?? ""} />
    <${DatasetOf} value=${query.get("dataset") ?? ""} />
    ${RANGES.map(({ name, label, example }) => html`<${Range} key=${name} name=${name} label=${label} example=${example} query=${query} />`)}
    ${isNarrowed(query) && html`<button type="button" onClick=${clear}>Clear filters</button>`}
  </search>
  <${Explained} title="What winner, control and the other roles mean" of=${ROLES} />`;
}

/** @param {{name: string, label: string, value: string}} props */
function Field({ name, label, value }) {
  const [draft, setDraft] = useState(value);
  const waiting = useRef(0);
  useEffect(() => setDraft(value), [value]);
  useEffect(() => () => clearTimeout(waiting.current), []);
  const typed = (/** @type {any} */ event) => {
    const text = event.target.value;
    setDraft(text);
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => ask({ [name]: text }), PAUSE);
  };
  return html`<label>${label} <input type="search" maxlength="200" value=${draft} onInput=${typed} /></label>`;
}

/** @param {{searches: any[], value: string}} props */
function SearchOf({ searches, value }) {
  const known = !value || searches.some((/** @type {any} */ search) => search.id === value);
  return html`<label>Search <select class="of-search" value=${value} onChange=${(/** @type {any} */ event) => ask({ search: event.target.value })}>
    <option value="" selected=${!value}>any</option>
    ${!known && html`<option value=${value} selected>${value.slice(-8)}</option>`}
    ${searches.map((/** @type {any} */ search) => html`<option key=${search.id} value=${search.id} selected=${search.id === value}>${(search.name || search.id.slice(-8)).slice(0, 60)}</option>`)}
  </select></label>`;
}

/** A name that is not in the list can be written as well. @param {{value: string}} props */
function DatasetOf({ value }) {
  const { data } = useResource("datasets", { limit: 100 });
  const list = useId();
  return html`<label>Dataset <${Typed} value=${value} onDone=${(/** @type {string} */ text) => ask({ dataset: text.trim() })} label="Dataset" attributes=${{ type: "search", list, maxlength: 200, class: "" }} />
    <datalist id=${list}>${(data?.items ?? []).map((/** @type {any} */ dataset) => html`<option key=${dataset.id} value=${dataset.name}></option>`)}</datalist>
  </label>`;
}

/** @param {{name: string, label: string, example: string, query: URLSearchParams}} props */
const Range = ({ name, label, example, query }) => html`<fieldset class="range"><legend>${label}</legend>
  ${ENDS.map((end) => html`<${Typed} key=${end} value=${query.get(`${name}_${end}`) ?? ""} label="${label}, ${end === "min" ? "from" : "to"}"
    attributes=${{ maxlength: 20, placeholder: end === "min" ? "from" : `to ${example}` }} onDone=${(/** @type {string} */ text) => ask({ [`${name}_${end}`]: text.trim() })} />`)}
</fieldset>`;
