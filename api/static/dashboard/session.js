// The caller's key: kept for this tab's session only, and sent with every request.

import { Signal } from "./signal.js";

const KEPT = "dna-key";

/** What the names of kept drafts begin with. */
export const DRAFTS = "dna-form:";

/** @type {Signal<string | null>} The key; null where none was given (on loopback none is needed). */
export const key = new Signal(sessionStorage.getItem(KEPT));

/** @type {Signal<boolean>} Whether the service wants a key that it was not given. Pages stay as they are behind the sign-in. */
export const locked = new Signal(false);

/** @type {Signal<number>} Counts the times that somebody signed in: what shows is read again then. */
export const signIns = new Signal(0);

/** @type {Signal<number>} Counts the callers: with another one, pages begin anew and nothing of the one before stays. */
export const callers = new Signal(0);

/** @param {string} text as it was made by `dna key create` or `POST /keys` */
export function signIn(text) {
  sessionStorage.setItem(KEPT, text);
  key.set(text);
  locked.set(false);
  signIns.set(signIns.value + 1);
}

/** What forms keep in this tab is the one's who wrote it. */
function forgetDrafts() {
  for (const name of Object.keys(sessionStorage)) if (name.startsWith(DRAFTS)) sessionStorage.removeItem(name);
}

/** Forgets the key, and what was written with it. Where the service needs one, it is asked for. */
export function signOut() {
  sessionStorage.removeItem(KEPT);
  forgetDrafts();
  key.set(null);
  locked.set(false);
  callers.set(callers.value + 1);
  signIns.set(signIns.value + 1);
}

/** Works with another key from now on. @param {string} text */
export function changeKey(text) {
  forgetDrafts();
  callers.set(callers.value + 1);
  signIn(text);
}
