// What pages are written with: Preact's hooks, and `html`, its elements as a tagged template.
// Text and attributes set through it are never parsed as markup, whoever wrote them.

import { plain } from "./format.js";
import htm from "./vendor/htm.js";
import { h } from "./vendor/preact.js";

export { createContext, Fragment, render } from "./vendor/preact.js";
export {
  useCallback,
  useContext,
  useEffect,
  useErrorBoundary,
  useId,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "./vendor/hooks.js";

/** Attributes that people read. */
const READ = ["title", "aria-label", "alt", "placeholder", "label"];

/** @param {any} child @returns {any} */
const shown = (child) => (typeof child === "string" ? plain(child) : Array.isArray(child) ? child.map(shown) : child);

/**
 * An element whose text cannot turn the direction of what stands beside it: an isolate that is opened in a name and not closed there swallows
 * the end of a `<bdi>` around it.
 * @param {any} type @param {any} props @param {any[]} children
 */
function element(type, props, ...children) {
  if (typeof type !== "string") return h(type, props, ...children);
  const read = props && READ.filter((name) => typeof props[name] === "string");
  const said = read?.length ? { ...props, ...Object.fromEntries(read.map((/** @type {string} */ name) => [name, plain(props[name])])) } : props;
  return h(type, said, ...children.map(shown));
}

export const html = htm.bind(element);
