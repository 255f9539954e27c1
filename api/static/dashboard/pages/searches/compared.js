// The way from the selected searches to the page that sets them side by side.

import { href } from "../../router.js";
import { html } from "../../view.js";

/** So many searches are set side by side at most. */
export const MOST_COMPARED = 8;

/** @param {{rows: any[]}} props */
export function Compared({ rows }) {
  if (rows.length < 2) return html`<span class="faint">Select another to compare them.</span>`;
  if (rows.length > MOST_COMPARED) return html`<span class="faint">At most ${MOST_COMPARED} can be compared.</span>`;
  return html`<a class="button main" href=${href(["compare"], { searches: rows.map((row) => row.id) })}>Compare</a>`;
}
