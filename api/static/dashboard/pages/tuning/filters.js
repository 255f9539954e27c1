// Narrowing the trials that show: by state, to the best, to what was marked on an axis.

import { loss, percent } from "../../format.js";
import { ask, usePlace } from "../../router.js";
import { html } from "../../view.js";
import { filters, STATES, written } from "./data.js";

/** @param {{shown: number, of: number}} props */
export function Filters({ shown, of }) {
  const { query } = usePlace();
  const { states, best, spans } = filters(query);
  const turn = (/** @type {string} */ state) =>
    ask({ trial_state: states.includes(state) ? states.filter((one) => one !== state) : [...states, state] });
  const narrowed = states.length || best || spans.length;
  return html`<div class="filters" role="group" aria-label="Which trials show">
    <div class="chips" role="group" aria-label="States">
      ${STATES.map((state) => html`<button key=${state} type="button" class="chip" aria-pressed=${states.includes(state)} onClick=${() => turn(state)}>
        <span class="state state-${state}">${state}</span></button>`)}
    </div>
    <label>The best <select value=${String(best)} onChange=${(/** @type {any} */ event) => ask({ best: event.target.value === "0" ? null : event.target.value })}>
      <option value="0">all</option><option>5</option><option>10</option><option>20</option>
    </select></label>
    ${spans.map((span) => html`<span class="label" key=${span.field}>${span.field} ${said(span)}
      <button type="button" class="plain" aria-label="Any ${span.field}" onClick=${() => ask({ span: spans.filter((one) => one !== span).map(written) })}>✕</button></span>`)}
    <span class="faint" role="status">${shown === of ? `${of} trials` : `${shown} of ${of} trials`}</span>
    ${narrowed ? html`<button type="button" onClick=${() => ask({ trial_state: null, best: null, span: null })}>All trials</button>` : null}
  </div>`;
}

/** @param {import("./data.js").Span} span */
const said = ({ field, low, high }) =>
  field === "accuracy" ? `${percent(low)} to ${percent(high)}` : `${loss(low)} to ${loss(high)}`;
