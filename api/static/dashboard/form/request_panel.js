// The request that the form would send, to be copied, and the way to paste one.

import { Dialog } from "../parts/dialog.js";
import { Code } from "../parts/copy.js";
import { Panel } from "../parts/basics.js";
import { inWords } from "../request.js";
import { html, useState } from "../view.js";
import { isObject } from "./document.js";

/** @type {("JSON" | "curl" | "Python" | "dna")[]} */
const LANGUAGES = ["JSON", "curl", "Python", "dna"];

/** @param {{kind: string, body: any, paste: (document: any) => void}} props */
export function RequestPanel({ kind, body, paste }) {
  const [language, setLanguage] = useState(LANGUAGES[0]);
  const [pasting, setPasting] = useState(false);
  return html`<${Panel} title="The same request" actions=${html`<button type="button" onClick=${() => setPasting(true)}>Paste JSON</button>`}>
    <div class="languages" role="group" aria-label="Language">
      ${LANGUAGES.map((name) => html`<button type="button" key=${name} aria-pressed=${name === language} onClick=${() => setLanguage(name)}>${name}</button>`)}
    </div>
    <${Code} label=${language} text=${inWords(kind, body)[language]} />
    ${pasting && html`<${Paste} onClose=${() => setPasting(false)} paste=${paste} />`}
  </${Panel}>`;
}

/** @param {{onClose: () => void, paste: (document: any) => void}} props */
function Paste({ onClose, paste }) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  const take = (/** @type {any} */ event) => {
    try {
      const found = JSON.parse(text);
      if (!isObject(found)) return setWrong("This is JSON, but no object: a request begins with { and ends with }.");
      paste(found);
      event.target.closest("dialog").close();
    } catch (error) {
      setWrong(`This is no JSON: ${/** @type {Error} */ (error).message}.`);
    }
  };
  return html`<${Dialog} title="Paste a request" onClose=${onClose}>
    <p>It takes the place of what the form holds. A spec of an earlier job, or an answer to <code>dna … --json</code>, field <code>written</code>, will do.</p>
    <label class="wide">JSON <textarea rows="12" spellcheck=${false} value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)}></textarea></label>
    ${wrong && html`<p class="field-errors" role="alert">${wrong}</p>`}
    <button type="button" class="main" onClick=${take}>Take it</button>
  </${Dialog}>`;
}
