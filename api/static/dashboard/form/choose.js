// A text that is usually one of many that there are: it is typed, or chosen from what the service finds for it.

import { get, Problem } from "../client.js";
import { html, useEffect, useRef, useState } from "../view.js";
import { useDefault, useValue } from "./context.js";

/** @typedef {{value: string, label: string, about?: string}} Option */

/** From the last key to the question. Milliseconds. */
const PAUSE = 150;

/**
 * A control for {@link import("./field.js").Field} that finds its values by `ask`.
 * @param {(text: string, signal: AbortSignal) => Promise<Option[]>} ask
 * @param {string} [placeholder] where nothing is the default
 */
export const choosing = (ask, placeholder = "") =>
  /** @param {import("./controls.js").Control} props */
  function Choosing({ shape, place, id, aria, named }) {
    const { value, set } = useValue(place);
    const usual = useDefault(place, shape.byDefault);
    return html`<${Choose} id=${id} aria=${aria} value=${value ?? ""} named=${named} ask=${ask} placeholder=${usual || placeholder} onChange=${(/** @type {string} */ text) => set(text || undefined)} />`;
  };

/** Options of a list of the API. @param {string} path @param {(item: any, n: number, all: any[]) => Option} option @param {import("../client.js").Query} [query] */
export const listed = (path, option, query = {}) => async (/** @type {string} */ q, /** @type {AbortSignal} */ signal) =>
  (await get(path, { limit: 30, ...query, q }, signal)).items.map(option);

let pressed = false;
addEventListener("pointerdown", () => (pressed = true), true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => (pressed = false), true);

/**
 * Does it once no button of a pointer is held: what is taken may change heights, and a click would miss what moved away from under it.
 * @param {() => void} act
 */
function released(act) {
  if (!pressed) return act();
  const done = () => {
    for (const end of ["pointerup", "pointercancel"]) removeEventListener(end, done, true);
    act();
  };
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, done, true);
}

/**
 * @param {object} props
 * @param {string} props.id
 * @param {any} [props.aria]
 * @param {string} props.value
 * @param {string} [props.named] what the value is called, where it is an id: this stands in its place
 * @param {(text: string, signal: AbortSignal) => Promise<Option[]>} props.ask
 * @param {string} [props.placeholder]
 * @param {(text: string) => void} props.onChange
 */
export function Choose({ id, aria, value, named, ask, placeholder, onChange }) {
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  // What stood there when somebody came to it: what the page learns meanwhile is not written under their hands.
  const [held, setHeld] = useState(/** @type {string | null} */ (null));
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const { options, note } = useOptions(open ? (typed ?? "") : null, ask);
  const shown = held ?? named ?? value;
  const take = (/** @type {string} */ text) => {
    setTyped(null);
    setHeld(null);
    setOpen(false);
    setAt(-1);
    if (text !== value) onChange(text);
  };
  // A name that was typed in full means what the list has under it; the name that stands there, what it stood for.
  const meant = () => {
    if (typed === null || typed === shown) return value;
    const called = options.filter((/** @type {Option} */ option) => option.label === typed);
    return called.length === 1 ? called[0].value : typed;
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setOpen(true);
      setAt((/** @type {number} */ now) => (options.length ? (now + step + options.length + (now < 0 && step < 0 ? 1 : 0)) % options.length : -1));
    } else if (event.key === "Enter" && open) {
      event.preventDefault();
      take(options[at]?.value ?? meant());
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      take(value);
    }
  };
  return html`<div class="choose">
    <input id=${id} type="text" role="combobox" ...${aria} aria-expanded=${open} aria-controls=${`${id}-options`} aria-autocomplete="list"
      aria-activedescendant=${open && at >= 0 ? `${id}-option-${at}` : null} autocomplete="off" spellcheck=${false} maxlength="200"
      value=${typed ?? shown} placeholder=${placeholder} onFocus=${() => (setHeld(shown), setOpen(true))} onClick=${() => setOpen(true)} onKeyDown=${keys}
      onInput=${(/** @type {any} */ event) => (setTyped(event.target.value), setOpen(true), setAt(-1))} onBlur=${() => released(() => take(meant()))} />
    ${open && html`<${Options} id=${id} options=${options} note=${note} at=${at} value=${value} take=${take} />`}
  </div>`;
}

/** @param {{id: string, options: Option[], note: string, at: number, value: string, take: (text: string) => void}} props */
function Options({ id, options, note, at, value, take }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => list.current?.children[at]?.scrollIntoView({ block: "nearest" }), [at]);
  // The press would take the focus from the input, and what was typed would be taken instead.
  const stay = (/** @type {Event} */ event) => event.preventDefault();
  return html`<ul ref=${list} id=${`${id}-options`} role="listbox" aria-label="What there is" class="form-options" onMouseDown=${stay}>
    ${options.map((option, n) => html`<li key=${option.value} id=${`${id}-option-${n}`} role="option" aria-selected=${n === at || (at < 0 && option.value === value)} onClick=${() => take(option.value)}>
      <span>${option.label}</span> ${option.about && html`<span class="faint">${option.about}</span>`}
    </li>`)}
    ${note && html`<li class="faint" role="option" aria-disabled="true" aria-selected="false">${note}</li>`}
  </ul>`;
}

/** @param {string | null} text null: nobody looks @param {(text: string, signal: AbortSignal) => Promise<Option[]>} ask */
function useOptions(text, ask) {
  const [state, setState] = useState({ options: /** @type {Option[]} */ ([]), note: "" });
  useEffect(() => {
    if (text === null) return;
    const going = new AbortController();
    const find = async () => {
      try {
        const options = await ask(text, going.signal);
        setState({ options, note: options.length ? "" : text ? `Nothing is called like “${text}”.` : "There is none yet." });
      } catch (error) {
        if (going.signal.aborted) return;
        if (!(error instanceof Problem)) throw error;
        setState({ options: [], note: error.message });
      }
    };
    const waiting = setTimeout(find, text ? PAUSE : 0);
    return () => {
      clearTimeout(waiting);
      going.abort();
    };
  }, [text, ask]);
  return state;
}
