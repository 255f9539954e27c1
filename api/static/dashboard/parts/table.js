// Tables: sorted by the service, not here; on narrow screens every row is a card.

import { exact } from "../format.js";
import { html } from "../view.js";

/** @typedef {54 | 62 | 66 | 74} From widths of windows from which on columns show; parts.css has a rule for each */

/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} label
 * @property {(row: any) => any} cell
 * @property {string} [sort] what the API calls it; without, it cannot be sorted by
 * @property {boolean} [number] set to the right, in figures of one width
 * @property {From} [from] shows in windows of so many rem and more, and on cards; without, it always does
 */

/**
 * @param {object} props
 * @param {string} props.caption what the rows are, for those who do not see the page around it
 * @param {Column[]} props.columns
 * @param {any[]} props.rows with an `id` or `name` each
 * @param {string} [props.sort] as the API takes it: `-created_at`
 * @param {(sort: string) => void} [props.onSort]
 * @param {Set<string>} [props.selected] ids
 * @param {(ids: string[], on: boolean) => void} [props.onSelect]
 */
export function Table({ caption, columns, rows, sort, onSort, selected, onSelect }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}>
    <table>
      <caption class="unseen">${caption}</caption>
      <thead>
        <tr>
          ${onSelect && html`<${All} rows=${rows} selected=${selected ?? new Set()} onSelect=${onSelect} />`}
          ${columns.map((column) => html`<${Head} key=${column.id} column=${column} sort=${sort} onSort=${onSort} />`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map((row) => {
          const id = row.id ?? row.name;
          return html`<tr key=${id}>
            ${onSelect && html`<td class="pick"><input type="checkbox" aria-label="Select ${row.name ?? id}" checked=${selected?.has(id)}
              onChange=${(/** @type {any} */ event) => onSelect([id], event.target.checked)} /></td>`}
            ${columns.map((column) => html`<td key=${column.id} class=${classOf(column)} data-label=${column.label}>${column.cell(row)}</td>`)}
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

/** @param {Column} column */
const classOf = ({ number, from }) => [number && "number", from && `from-${from}`].filter(Boolean).join(" ");

/** Selects all rows that show. @param {{rows: any[], selected: Set<string>, onSelect: (ids: string[], on: boolean) => void}} props */
function All({ rows, selected, onSelect }) {
  const ids = rows.map((row) => row.id ?? row.name);
  const on = ids.filter((id) => selected.has(id)).length;
  return html`<th scope="col" class="pick"><input type="checkbox" aria-label="Select all that show" checked=${on > 0 && on === ids.length} indeterminate=${on > 0 && on < ids.length}
    onChange=${(/** @type {any} */ event) => onSelect(ids, event.target.checked)} /></th>`;
}

/** @param {{column: Column, sort?: string, onSort?: (sort: string) => void}} props */
function Head({ column, sort, onSort }) {
  const name = column.sort;
  if (!name || !onSort) return html`<th scope="col" class=${classOf(column)}>${column.label}</th>`;
  const order = sort === name ? "ascending" : sort === `-${name}` ? "descending" : "none";
  // What is large or new is looked for first.
  const turned = order === "descending" ? name : `-${name}`;
  return html`<th scope="col" class=${classOf(column)} aria-sort=${order}>
    <button type="button" class="plain" onClick=${() => onSort(turned)}>
      ${column.label}<span aria-hidden="true">${{ ascending: " ↑", descending: " ↓", none: "" }[order]}</span>
    </button>
  </th>`;
}

/** The way to the next page of a list. @param {{more: (() => Promise<void>) | null, shown: number, of?: number}} props `of`: how many there are, where that is known */
export function More({ more, shown, of }) {
  if (!more) return null;
  return html`<p class="more"><button type="button" onClick=${more}>Show more</button> <span class="faint">${exact(shown)}${of === undefined ? "" : ` of ${exact(of)}`} shown</span></p>`;
}
