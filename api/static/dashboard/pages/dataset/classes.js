// The classes of a dataset: how many pictures each has, and what they look like.

import { exact } from "../../format.js";
import { usePages, useResource } from "../../hooks.js";
import { Empty, Loading, Panel, ProblemNote } from "../../parts/basics.js";
import { Dialog } from "../../parts/dialog.js";
import { Picture } from "../../parts/picture.js";
import { More } from "../../parts/table.js";
import { html, useState } from "../../view.js";

/** @param {{path: string, count: number}} props */
export function Classes({ path, count }) {
  const { items, problem, loading, more, reload } = usePages(`${path}/classes`, { limit: 50 });
  const [open, setOpen] = useState(/** @type {string | null} */ (null));
  const most = Math.max(1, ...items.map(total));
  return html`<${Panel} title="${exact(count)} ${count === 1 ? "class" : "classes"}">
    <${ProblemNote} of=${problem} retry=${reload} />
    ${loading && html`<${Loading} />`}
    <ul class="classes">
      ${items.map((one, number) => html`<li key=${one.name}>
        <button type="button" class="class" title="Pictures of ${one.name}" onClick=${() => setOpen(one.name)}>
          <${Example} path=${path} number=${number} name=${one.name} />
          <span class="class-name">${one.name}</span>
          <span class="amount" style=${{ width: `${(100 * total(one)) / most}%` }}></span>
          <span class="faint">${counts(one)}</span>
        </button>
      </li>`)}
    </ul>
    <${More} more=${more} shown=${items.length} />
    ${open !== null && html`<${Dialog} title=${open} onClose=${() => setOpen(null)}><${Pictures} path=${path} name=${open} /></${Dialog}>`}
  </${Panel}>`;
}

/** @param {{images: Record<string, number>}} one */
const total = ({ images }) => Object.values(images).reduce((sum, count) => sum + count, 0);

/** @param {{images: Record<string, number>}} one */
const counts = ({ images }) => Object.entries(images).map(([split, count]) => `${exact(count)} ${split}`).join(" · ");

/** The first picture of a class, once it comes into view. @param {{path: string, number: number, name: string}} props */
function Example({ path, number, name }) {
  return html`<span class="example"><${Picture} path="${path}/samples/${number}/0" alt="" lazy /></span>`;
}

/** @param {{path: string, name: string}} props */
function Pictures({ path, name }) {
  const { data, problem, loading } = useResource(`${path}/samples`, { class: name });
  if (loading) return html`<${Loading} />`;
  if (problem) return html`<${ProblemNote} of=${problem} />`;
  if (!data.items.length) return html`<${Empty}>There are no pictures of it.</${Empty}>`;
  return html`<ul class="samples">
    ${data.items.map((/** @type {any} */ one) => html`<li key=${one.url}><figure><${Picture} path=${one.url.replace(/^\//, "")} alt=${one.name} />
      <figcaption class="faint">${one.name}, ${one.width} × ${one.height}</figcaption></figure></li>`)}
  </ul>`;
}
