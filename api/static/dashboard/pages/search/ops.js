// The colours of ops, and their key.

import { html } from "../../view.js";

/** Colours of the palette; beyond them ops share one, and their names tell them apart. */
const COLOURS = 8;

/** Number of the colour in the palette by op. @param {string[]} ops @returns {Map<string, number>} */
export const colours = (ops) => new Map(ops.map((op, number) => [op, (number % COLOURS) + 1]));

/** @param {{ops: string[]}} props */
export const Key = ({ ops }) => html`<ul class="ops-key" aria-label="Colours of the ops">
  ${[...colours(ops)].map(([op, colour]) => html`<li key=${op}><span class="ops-colour" style=${{ background: `var(--c${colour})` }} aria-hidden="true"></span>${op}</li>`)}
</ul>`;
