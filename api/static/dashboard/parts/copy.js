// Text to copy: a command, a program, a document.

import { html, useState } from "../view.js";

/** @param {{text: string, label: string}} props `label` says what it is: "curl", "Python" */
export function Code({ text, label }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return html`<figure class="code">
    <figcaption>${label} <button type="button" onClick=${copy} aria-label="Copy ${label}">${copied ? "Copied" : "Copy"}</button></figcaption>
    <pre tabindex="0" aria-label=${label}><code>${text}</code></pre>
  </figure>`;
}
