// What was chosen and is written as an id: what it is called, with the way to it.

import { useResource } from "../hooks.js";
import { href } from "../router.js";
import { html } from "../view.js";

/** @param {unknown} value */
export const isId = (value) => typeof value === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);

/** What the API says of it; null where the value is no id, or nothing is known by it. @param {string} kind path of its list @param {unknown} value */
export const useChosen = (kind, value) => useResource(isId(value) ? `${kind}/${value}` : null).data;

/** @param {{page: string, id: string, name: string, children?: any}} props `children`: what else is said of it */
export const Chosen = ({ page, id, name, children }) =>
  html`<p class="about"><a href=${href([page, id])}>${name}</a>${children} <span class="chosen-id faint">${id}</span></p>`;
