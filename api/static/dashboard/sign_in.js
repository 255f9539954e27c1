// Sign-in with a key, kept for the session only.

import { Problem, send } from "./client.js";
import { ProblemNote } from "./parts/basics.js";
import { signIn } from "./session.js";
import { html, useState } from "./view.js";

export function SignIn() {
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const submit = async (/** @type {any} */ event) => {
    event.preventDefault();
    const given = new FormData(event.target).get("key")?.toString().trim() ?? "";
    try {
      await send("GET", "keys/me", { headers: { Authorization: `Bearer ${given}` } });
      signIn(given);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    }
  };
  return html`<form class="panel sign-in" onSubmit=${submit}>
    <h1>Sign in</h1>
    <p>This service wants a key. An operator makes one with <code>dna key create NAME</code>. It is kept until this tab is closed.</p>
    <label>Key <input name="key" type="password" autocomplete="off" required placeholder="dna_…" /></label>
    <${ProblemNote} of=${problem} />
    <button class="main">Sign in</button>
  </form>`;
}
