// The caller's key: kept for this tab's session only, and sent with every request.

import { Signal } from "./signal.js";

const KEPT = "dna-key";

/** @type {Signal<string | null>} The key; null where none was given (on loopback none is needed). */
export const key = new Signal(sessionStorage.getItem(KEPT));

/** @type {Signal<boolean>} Whether the service wants a key that it was not given. */
export const locked = new Signal(false);

/** @param {string} text as it was made by `dna key create` or `POST /keys` */
export function signIn(text) {
  sessionStorage.setItem(KEPT, text);
  key.set(text);
  locked.set(false);
}

export function signOut() {
  sessionStorage.removeItem(KEPT);
  key.set(null);
}
