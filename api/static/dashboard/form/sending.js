// The end of the form: the button, and what has to be put right before it.

import { duration } from "../format.js";
import { ProblemNote } from "../parts/basics.js";
import { html } from "../view.js";
import { parts } from "./document.js";
import { deviceName } from "./estimated.js";
import { spoken } from "./names.js";
import { show } from "./show.js";

/**
 * @param {object} props
 * @param {import("./page.js").JobForm} props.of
 * @param {boolean} props.may
 * @param {boolean} props.busy
 * @param {import("../client.js").Problem | null} props.problem of the last attempt
 * @param {import("./context.js").FieldError[]} props.errors
 * @param {import("./estimate.js").Estimated} props.estimate
 * @param {() => void} props.submit
 */
export function Sending({ of, may, busy, problem, errors, estimate, submit }) {
  const { answer } = estimate;
  const refused = may && answer?.feasible === false && !estimate.busy;
  const elsewhere = problem && !problem.errors.some((error) => error.pointer !== undefined);
  return html`<section class="panel sending" aria-label="Start">
    ${elsewhere && html`<${ProblemNote} of=${problem} />`}
    ${errors.length > 0 && html`<div role="alert"><p>${errors.length === 1 ? "One field needs" : `${errors.length} fields need`} another look:</p>
      <ul>${errors.map((error) => html`<li key=${error.pointer + error.detail}>
        <button type="button" class="plain form-link" onClick=${() => show(error.pointer)}>${nameOf(error.pointer)}</button> ${error.detail}
      </li>`)}</ul></div>`}
    <button type="button" class=${refused ? "large" : "main large"} aria-describedby=${refused ? "refused" : null} disabled=${busy || !may} onClick=${submit}>${busy ? "Starting …" : `Start the ${of.one}`}</button>
    ${may && answer && !refused && !errors.length && html` <span class="faint">about ${duration(answer.device_seconds)} on ${deviceName(answer.device)}</span>`}
    ${refused && html`<p class="wrong" id="refused">It would be refused: ${answer.reason}</p>`}
    ${!may && html` <span class="faint">This needs a key with the scope <code>run</code>.</span>`}
  </section>`;
}

/** @param {string} pointer */
const nameOf = (pointer) => parts(pointer).map((part) => spoken(String(part))).join(", ") || "The request";
