// A secret that the service tells this once.

import { Code } from "../../parts/copy.js";
import { Dialog } from "../../parts/dialog.js";
import { html } from "../../view.js";

/** @param {{title: string, label: string, secret: string, onClose: () => void, children?: any}} props */
export function Secret({ title, label, secret, onClose, children }) {
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <p><strong>It is shown this once.</strong> Copy it now to where it is kept safe; whoever has it can use it.</p>
    <${Code} text=${secret} label=${label} />
    ${children}
    <button type="button" class="main" onClick=${onClose}>I have copied it</button>
  </${Dialog}>`;
}
