// The way from the selected searches to the page that sets them side by side.

import { href } from "../../router.js";
import { html } from "../../view.js";

/** So many searches are set side by side at most. */
export const MOST_COMPARED = 8;

/** @param {{rows: any[]}} props */
export function Compared({ rows }) {
  const why = rows.length > MOST_COMPARED ? `At most ${MOST_COMPARED} can be compared.` : rows.length === 1 ? "Tick another to compare them." : "Tick two or more searches to compare them.";
  if (rows.length > 1 && rows.length <= MOST_COMPARED) return html`<a class="button main" href=${href(["compare"], { searches: rows.map((row) => row.id) })}>Compare</a>`;
  return html`<button type="button" disabled>Compare</button> <span class="faint">${why}</span>`;
}
