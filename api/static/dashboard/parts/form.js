// A form of a dialog: it sends what is written, and says what the service did not like, with all that was written still there.

import { Problem } from "../client.js";
import { html, useState } from "../view.js";
import { ProblemNote } from "./basics.js";

/** @param {{verb: string, send: (form: FormData) => Promise<unknown>, children?: any}} props */
export function Form({ verb, send, children }) {
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {any} */ event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await send(new FormData(event.currentTarget));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    }
    setBusy(false);
  };
  return html`<form class="form" onSubmit=${submit}>
    ${children}
    <${ProblemNote} of=${problem} />
    <button class="main" disabled=${busy}>${busy ? `${verb} …` : verb}</button>
  </form>`;
}
