// What `select` answers to a budget, without anything being kept: while a line is dragged, and of the points that were picked.

import { post, Problem } from "../../../client.js";
import { useEffect, useMemo, useRef, useState } from "../../../view.js";
import { budgetOf } from "./limits.js";
import { Newest } from "./newest.js";

/** @typedef {import("./limits.js").Asked} Asked */
/** @typedef {{key: string, networks: any[], problem: Problem | null}} Selection `networks` as the API answers them, best first */

/** @param {Asked} asked */
export const keyOf = ({ limits, k, apart }) => JSON.stringify([Object.entries(limits).sort(), k, apart]);

/**
 * @param {string} search id
 * @param {Asked} asked
 * @param {{keep?: boolean, signal?: AbortSignal}} [options] `keep`: as networks of the search, each with an id
 * @returns {Promise<any[]>}
 */
export async function select(search, { limits, k, apart }, { keep = false, signal } = {}) {
  const body = { budget: budgetOf(limits), top_k: k, min_distance: apart, keep };
  return (await post(`searches/${search}/select`, body, signal)).architectures;
}

/**
 * The newest answer that there is; its `key` says whether it is that to what is asked now.
 * @param {string} search id
 * @param {Asked | null} asked
 * @returns {Selection | null}
 */
export function useSelection(search, asked) {
  const [selection, setSelection] = useState(/** @type {Selection | null} */ (null));
  const newest = useRef(/** @type {Newest<Asked, any[]> | null} */ (null));
  useEffect(() => {
    newest.current = new Newest(
      (asked, signal) => select(search, asked, { signal }),
      (asked, networks, error) => {
        if (error && !(error instanceof Problem)) throw error;
        setSelection({ key: keyOf(asked), networks: networks ?? [], problem: /** @type {Problem | null} */ (error) });
      },
    );
    return () => newest.current?.end();
  }, [search]);
  const key = asked && keyOf(asked);
  useEffect(() => {
    if (asked) newest.current?.ask(asked);
  }, [key]);
  return selection;
}

/** @typedef {Asked & {rank: number, text: string}} Pick */

/**
 * The networks that were picked, each asked for once.
 * @param {string} search id
 * @param {Pick[]} picks
 * @returns {{pick: Pick, network: any, problem: Problem | null}[]} `network` null until it is known
 */
export function usePicks(search, picks) {
  const [known, setKnown] = useState(/** @type {Record<string, {network: any, problem: Problem | null}>} */ ({}));
  const asked = useMemo(() => new Set(), [search]);
  const wanted = picks.map((pick) => pick.text).join(" ");
  useEffect(() => {
    for (const pick of picks) {
      if (asked.has(pick.text)) continue;
      asked.add(pick.text);
      select(search, pick)
        .then((networks) => ({ network: networks[pick.rank - 1] ?? null, problem: null }))
        .catch((problem) => ({ network: null, problem }))
        .then((came) => setKnown((/** @type {any} */ before) => ({ ...before, [pick.text]: came })));
    }
  }, [search, wanted]);
  return picks.map((pick) => ({ pick, network: known[pick.text]?.network ?? null, problem: known[pick.text]?.problem ?? null }));
}
