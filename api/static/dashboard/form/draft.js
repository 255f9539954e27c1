// What has been written into a form and not been sent yet, and why it was not taken: kept for the tab's session, so that neither a reload, nor
// an error, nor another page in between loses it.

import { useCallback, useState } from "../view.js";

/**
 * @typedef {object} Draft
 * @property {any} spec
 * @property {Record<string, string>} rough texts that are no value yet, by pointer, such as JSON that is still being written
 * @property {{body: string, key: string} | null} sent the request that was last tried, with its idempotency key
 * @property {boolean} tried whether it was to be sent: what it lacks is said from then on
 * @property {{of: string, status: number, body: any} | null} refused what the service said of a request that it will not take
 */

/** @type {Draft} */
export const EMPTY = { spec: {}, rough: {}, sent: null, tried: false, refused: null };

/** @param {string} name @returns {Draft | null} */
function kept(name) {
  try {
    const found = JSON.parse(sessionStorage.getItem(name) ?? "null");
    if (!found) return null;
    // Of a number that was none, a browser does not tell the text: there is nothing to show of it again.
    const rough = Object.fromEntries(Object.entries(found.rough ?? {}).filter(([, text]) => text));
    return { ...EMPTY, ...found, rough };
  } catch {
    return null;
  }
}

/** @param {string} name of the form @param {Draft} draft */
export function keep(name, draft) {
  sessionStorage.setItem(name, JSON.stringify(draft));
}

/**
 * @param {string} name of the form
 * @param {any} begin the spec that it begins with
 * @returns {{draft: Draft, change: (make: (draft: Draft) => Draft) => void, clear: (spec: any) => void}}
 */
export function useDraft(name, begin) {
  const [draft, setDraft] = useState(() => kept(name) ?? { ...EMPTY, spec: begin });
  const change = useCallback(
    (/** @type {(draft: Draft) => Draft} */ make) =>
      setDraft((/** @type {Draft} */ old) => {
        const draft = make(old);
        keep(name, draft);
        return draft;
      }),
    [name],
  );
  const clear = useCallback(
    (/** @type {any} */ spec) => {
      sessionStorage.removeItem(name);
      setDraft({ ...EMPTY, spec });
    },
    [name],
  );
  return { draft, change, clear };
}
