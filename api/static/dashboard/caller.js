// Who calls, as `GET /keys/me` has it: what is not allowed to the caller's key is not offered.

import { Signal, useSignal } from "./signal.js";

/** @typedef {"read" | "run" | "admin"} Scope */

/** @type {Signal<any>} What the service says of the key in use; null until that is known. The frame keeps it up to date. */
export const caller = new Signal(/** @type {any} */ (null));

/** @returns {any} */
export const useCaller = () => useSignal(caller);

/** Whether the caller's key may do that; false until it is known. @param {Scope} scope @returns {boolean} */
export const useMay = (scope) => useCaller()?.scopes.includes(scope) ?? false;
