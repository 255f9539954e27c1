// Sign-in with a key, kept for the session only. The page that was asked for stands behind it, as it was.

import { caller } from "./caller.js";
import { Problem, send } from "./client.js";
import { ProblemNote } from "./parts/basics.js";
import { changeKey, key, signIn, signOut } from "./session.js";
import { html, useEffect, useRef, useState } from "./view.js";

/** Before a page, where the service wants a key that it was not given: over all else, a dialog that is open among them. */
export function SignIn() {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const show = () => element.current?.showModal();
  useEffect(show, []);
  const ended = key.value !== null;
  return html`<dialog ref=${element} class="sign-in" aria-label="Sign in" onCancel=${(/** @type {Event} */ event) => event.preventDefault()} onClose=${show}>
    <h1>Sign in</h1>
    <p>${ended ? "The key that this page used opens nothing any more: it was revoked, or has expired. With another one you go on where you were." : html`This service wants a key. Whoever runs it makes one with <code>dna key create NAME</code>.`}</p>
    <${KeyForm} take=${enter} verb="Sign in" focus />
    ${ended && html`<${Without} />`}
  </dialog>`;
}

/** Pages stay as they were for the same project; with a key of another one nothing of the one before stays. @param {string} given @param {any} me */
const enter = (given, me) => (caller.value && caller.value.project !== me.project ? changeKey(given) : signIn(given));

/** Another key in place of the one in use. */
export const AnotherKey = () => html`<${KeyForm} take=${changeKey} verb="Use this key" />`;

/** @param {{take: (key: string, me: any) => void, verb: string, focus?: boolean}} props */
function KeyForm({ take, verb, focus = false }) {
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (focus) field.current?.focus();
  }, []);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const given = field.current?.value.trim() ?? "";
    setBusy(true);
    const found = await check(given);
    setBusy(false);
    setProblem(found instanceof Problem ? found : null);
    if (!(found instanceof Problem)) take(given, found);
  };
  return html`<form class="key-form" onSubmit=${submit}>
    <label>Key <input ref=${field} name="key" type="password" autocomplete="off" spellcheck=${false} required placeholder="dna_…" /></label>
    <p class="faint">It is kept until this tab is closed, and nowhere else.</p>
    <${ProblemNote} of=${problem} />
    <button class="main" disabled=${busy}>${verb}</button>
  </form>`;
}

/**
 * What the service says of a key, or why it cannot be used.
 * @param {string} given
 * @returns {Promise<any>}
 */
async function check(given) {
  // A header takes no other characters, and a key has none.
  if (!/^[\x21-\x7e]+$/.test(given)) return new Problem(0, { detail: "That is no key: one begins with dna_ and has letters, digits, - and _ only." });
  try {
    return await (await send("GET", "keys/me", { headers: { Authorization: `Bearer ${given}` } })).json();
  } catch (error) {
    if (error instanceof Problem) return error.status === 401 ? new Problem(401, { detail: refusal(error) }) : error;
    throw error;
  }
}

/** @param {Problem} problem */
const refusal = (problem) =>
  `${problem.message} Copy the whole key, as it was shown when it was made; where it was lost, have a new one made.`;

/** The way on where the service needs no key and only refuses a wrong one. */
function Without() {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    fetch(new URL("keys/me", document.baseURI))
      .then((answer) => setOpen(answer.ok))
      .catch(() => setOpen(false));
  }, []);
  return open && html`<p>Here the service can be used without a key as well. <button type="button" onClick=${signOut}>Go on without</button></p>`;
}
