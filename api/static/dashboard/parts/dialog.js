// Dialogs: the browser's own, which keep the focus inside, close on Escape and give the focus back.

import { Problem } from "../client.js";
import { html, useEffect, useRef, useState } from "../view.js";
import { ProblemNote } from "./basics.js";

/** @param {{title: string, onClose: () => void, children?: any}} props */
export function Dialog({ title, onClose, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => element.current?.showModal(), []);
  return html`<dialog ref=${element} aria-label=${title} onClose=${onClose}>
    <header><h2>${title}</h2><button type="button" class="plain" aria-label="Close" onClick=${() => element.current?.close()}>✕</button></header>
    ${children}
  </dialog>`;
}

/**
 * A button that asks first. What the service refuses is said in the dialog, and nothing is lost by it.
 * @param {object} props
 * @param {string} props.label of the button
 * @param {any} props.question text, or elements
 * @param {string} [props.verb] of the button that does it
 * @param {() => Promise<unknown>} props.act
 * @param {boolean} [props.bad] it destroys something
 * @param {boolean} [props.disabled]
 */
export function Confirmed({ label, question, verb = label, act, bad = false, disabled = false }) {
  const [open, setOpen] = useState(false);
  return html`<button type="button" class=${bad ? "bad" : ""} disabled=${disabled} onClick=${() => setOpen(true)}>${label}</button>
    ${open && html`<${Dialog} title=${label} onClose=${() => setOpen(false)}>
      <p>${question}</p>
      <${Act} verb=${verb} act=${act} bad=${bad} done=${() => setOpen(false)} />
    </${Dialog}>`}`;
}

/**
 * A button that does something at the service: it waits for it, and says why it did not work.
 * @param {{verb: string, act: () => Promise<unknown>, bad?: boolean, main?: boolean, disabled?: boolean, done?: () => void}} props
 */
export function Act({ verb, act, bad = false, main = false, disabled = false, done = () => {} }) {
  const [state, setState] = useState({ busy: false, problem: /** @type {Problem | null} */ (null) });
  const run = async () => {
    setState({ busy: true, problem: null });
    try {
      await act();
      setState({ busy: false, problem: null });
      done();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setState({ busy: false, problem: error });
    }
  };
  return html`<${ProblemNote} of=${state.problem} />
    <button type="button" class=${bad ? "bad" : main ? "main" : ""} disabled=${disabled || state.busy} onClick=${run}>${state.busy ? `${verb} …` : verb}</button>`;
}
