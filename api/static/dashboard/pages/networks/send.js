// A network from elsewhere: the JSON of one of ours, or a published one by its name.

import { post, Problem } from "../../client.js";
import { ProblemNote } from "../../parts/basics.js";
import { Dialog } from "../../parts/dialog.js";
import { go, href } from "../../router.js";
import { html, useState } from "../../view.js";
import { PUBLISHED } from "../network/called.js";

/** A description has a few hundred bytes; what is larger is another file. */
const LARGEST = 1_000_000;

/** @param {{close: () => void}} props */
export function Send({ close }) {
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {any} */ event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    setBusy(true);
    try {
      const made = await post("architectures", await described(form));
      go(href(["networks", made.id]));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    }
    setBusy(false);
  };
  return html`<${Dialog} title="Send a network" onClose=${close}>
    <p>One that was downloaded as JSON, or a published one. It can be trained then.</p>
    <form onSubmit=${submit} class="rows">
      <label>JSON file <input type="file" name="file" accept=".json,application/json" /></label>
      <label>Name <input name="name" maxlength="200" placeholder="as you like" /></label>
      <label>or a published one <select name="published"><option value="">none</option>${PUBLISHED.map((name) => html`<option key=${name}>${name}</option>`)}</select></label>
      <${ProblemNote} of=${problem} />
      <div class="actions"><button class="main" disabled=${busy}>${busy ? "Sending …" : "Send"}</button></div>
    </form>
  </${Dialog}>`;
}

/**
 * As `POST /architectures` takes it.
 * @param {FormData} form
 * @throws {Problem} where the file holds no JSON
 */
async function described(form) {
  const file = /** @type {File} */ (form.get("file"));
  const published = String(form.get("published"));
  if (published && !file.size) return { architecture: published };
  const wrong = (/** @type {string} */ detail) => new Problem(422, { detail });
  if (!file.size) throw wrong("Choose a JSON file, or a published network.");
  if (published) throw wrong("A file or a published network, not both.");
  if (file.size > LARGEST) throw wrong(`${file.name} is too large to be the description of a network. Choose the file that the download calls json.`);
  try {
    return { architecture: JSON.parse(await file.text()), name: String(form.get("name")).trim() || null };
  } catch {
    throw wrong(`${file.name} is no JSON. Choose the file that the download calls json.`);
  }
}
