// Light, dark, or as the system has it: kept by the browser.

import { Signal } from "./signal.js";

const KEPT = "dna-theme";

const system = matchMedia("(prefers-color-scheme: dark)");

/** @type {Signal<string>} What was chosen: `auto`, `light` or `dark`. */
export const theme = new Signal(localStorage.getItem(KEPT) ?? "auto");

/** @type {Signal<string>} What shows: `light` or `dark`; the stylesheets go by it. */
export const shownTheme = new Signal("light");

function apply() {
  const name = theme.value === "auto" ? (system.matches ? "dark" : "light") : theme.value;
  document.documentElement.dataset.theme = name;
  shownTheme.set(name);
}

/** @param {string} name */
export function setTheme(name) {
  localStorage.setItem(KEPT, name);
  theme.set(name);
  apply();
}

system.addEventListener("change", apply);
apply();
