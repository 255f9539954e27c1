// Text to copy: a command, a program, a document.

import { html, useRef, useState } from "../view.js";

/** @param {{text: string, label: string}} props `label` says what it is: "curl", "Python" */
export function Code({ text, label }) {
  const [copied, setCopied] = useState(false);
  const shown = useRef(/** @type {HTMLElement | null} */ (null));
  const copy = async () => {
    // Where a service is reached by plain HTTP there is no clipboard but that of a selection.
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else if (shown.current) copySelected(shown.current);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return html`<figure class="code">
    <figcaption>${label} <button type="button" onClick=${copy} aria-label="Copy ${label}">${copied ? "Copied" : "Copy"}</button></figcaption>
    <pre tabindex="0" aria-label=${label}><code ref=${shown}>${text}</code></pre>
  </figure>`;
}

/** @param {HTMLElement} element */
function copySelected(element) {
  getSelection()?.selectAllChildren(element);
  document.execCommand("copy");
}
