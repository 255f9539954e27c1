// Where a teacher that was taken over came from: a search, or weights that were sent.

import { useResource } from "../../hooks.js";
import { href } from "../../router.js";
import { html } from "../../view.js";

/** @param {{of: {kind: string, model: string, source: string}}} props */
export function Given({ of: { kind, model, source } }) {
  const { data } = useResource(kind === "search" ? `searches/${source}` : `teachers/${source}`);
  const name = html`<bdi>${data?.name ?? `…${source.slice(-8)}`}</bdi>`;
  if (kind !== "search") return html`${model}, sent as ${name}`;
  return html`${model} of the search <a href=${href(["searches", source])}>${name}</a>`;
}
