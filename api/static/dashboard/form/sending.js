// The end of the form: the button, and the way to what has to be put right before it.

import { duration } from "../format.js";
import { ProblemNote } from "../parts/basics.js";
import { html, useEffect, useRef } from "../view.js";
import { parts } from "./document.js";
import { deviceName } from "./estimated.js";
import { Mend } from "./mend.js";

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
  const bar = useHeightTold();
  const elsewhere = problem && !problem.errors.some((error) => error.pointer !== undefined);
  // What is wrong with the whole stands at no field.
  const whole = errors.filter((error) => !parts(error.pointer).length);
  const ready = may && answer && !errors.length;
  return html`<section class="panel sending" aria-label="Start" ref=${bar}>
    ${elsewhere && html`<${ProblemNote} of=${problem} />`}
    ${errors.length > 0 && html`<div role="alert">
      ${whole.map((error) => html`<p class="wrong" key=${error.detail}>${error.detail}</p>`)}
      ${errors.length > whole.length && html`<${Mend} errors=${errors.filter((error) => !whole.includes(error))} />`}
    </div>`}
    <button type="button" class=${may && errors.length ? "large" : "main large"} disabled=${busy || !may} onClick=${submit}>${busy ? "Starting …" : `Start the ${of.one}`}</button>
    ${ready && html` <span class="faint">about ${duration(answer.device_seconds)} on ${deviceName(answer.device)}</span>`}
    ${!may && html` <span class="faint">This needs a key with the scope <code>run</code>.</span>`}
  </section>`;
}

/** Tells the style sheet how much of the page the bar covers: what is scrolled to stops above it. */
function useHeightTold() {
  const bar = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (!bar.current) return;
    const page = document.documentElement;
    const told = new ResizeObserver(([{ target }]) => page.style.setProperty("--covered", `${target.getBoundingClientRect().height}px`));
    told.observe(bar.current, { box: "border-box" });
    return () => {
      told.disconnect();
      page.style.removeProperty("--covered");
    };
  }, []);
  return bar;
}
