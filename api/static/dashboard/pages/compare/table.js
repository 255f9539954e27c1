// Searches in columns: a row for each thing that is said of them.

import { href } from "../../router.js";
import { html } from "../../view.js";

/** @typedef {{id: string, label: any, cells: any[], differs?: boolean}} Line */

/** @param {{caption: string, searches: any[], lines: Line[]}} props `lines` have a cell for each of the searches */
export function SideBySide({ caption, searches, lines }) {
  return html`<div class="beside" tabindex="0" role="region" aria-label=${caption}>
    <table>
      <caption class="unseen">${caption}</caption>
      <thead><tr>
        <td></td>
        ${searches.map((search, number) => html`<th scope="col" key=${search.id}><${Mark} number=${number} /><a href=${href(["searches", search.id])}>${search.name || search.id}</a></th>`)}
      </tr></thead>
      <tbody>
        ${lines.map(({ id, label, cells }) => html`<tr key=${id}><th scope="row">${label}</th>${cells.map((cell, number) => html`<td key=${searches[number].id}>${cell}</td>`)}</tr>`)}
      </tbody>
    </table>
  </div>`;
}

/** The colour of a search in all charts of the page. @param {{number: number}} props */
export const Mark = ({ number }) => html`<span class="swatch-mark" style=${{ background: `var(--c${number + 1})` }} aria-hidden="true"></span>`;
