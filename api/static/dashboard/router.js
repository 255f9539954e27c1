// Which page shows, from the part of the address behind `#`: `#/searches/ID?tab=frontier`. It works behind any prefix, and with no help of
// the server, whose own paths answer JSON.

import { Signal, useSignal } from "./signal.js";

/** @typedef {{path: string[], query: URLSearchParams}} Place */

/** @returns {Place} */
function here() {
  const [written, query] = location.hash.slice(1).split("?");
  const path = written.split("/").map(decode).filter((part) => !["", ".", ".."].includes(part));
  return { path: path.length ? path : ["searches"], query: new URLSearchParams(query ?? "") };
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @type {Signal<Place>} */
export const place = new Signal(here());

addEventListener("hashchange", () => place.set(here()));

export const usePlace = () => useSignal(place);

/**
 * The address of a page.
 * @param {string[]} path its parts, as they are
 * @param {Record<string, string | string[] | null | undefined>} [query] what is empty is left out
 */
export function href(path, query = {}) {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one) asked.append(name, one);
  }
  const text = asked.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text && `?${text}`}`;
}

/**
 * @param {string} to as {@link href} makes it
 * @param {{replace?: boolean}} [options] `replace`: "back" does not lead to the page before
 */
export function go(to, { replace = false } = {}) {
  if (!replace) {
    location.hash = to.slice(1);
    return;
  }
  history.replaceState(null, "", to);
  place.set(here());
}

/**
 * Changes the query of the page that shows: a filter, a tab, an order. What is empty goes.
 * @param {Record<string, string | string[] | null | undefined>} changes
 */
export function ask(changes) {
  const { path, query } = place.value;
  /** @type {Record<string, string | string[] | null | undefined>} */
  const asked = {};
  for (const name of query.keys()) asked[name] = query.getAll(name);
  go(href(path, { ...asked, ...changes }), { replace: true });
}
