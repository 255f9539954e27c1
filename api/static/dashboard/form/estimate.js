// What the service makes of a spec, asked again as it is written: a moment after the last change, and the newest answer wins.

import { post, Problem } from "../client.js";
import { useEffect, useState } from "../view.js";

/** From the last change to the question. Milliseconds. */
const PAUSE = 350;

/** @typedef {{answer: any, problem: Problem | null, busy: boolean}} Estimated `answer` stays while a newer one is awaited or refused */

/**
 * @param {string} path
 * @param {string | null} body JSON; null asks nothing
 * @returns {Estimated}
 */
export function useEstimate(path, body) {
  const [state, setState] = useState(/** @type {Estimated} */ ({ answer: null, problem: null, busy: body !== null }));
  useEffect(() => {
    if (body === null) {
      setState({ answer: null, problem: null, busy: false });
      return;
    }
    const going = new AbortController();
    const ask = async () => {
      try {
        const answer = await post(path, JSON.parse(body), going.signal);
        setState({ answer, problem: null, busy: false });
      } catch (error) {
        if (going.signal.aborted) return;
        if (!(error instanceof Problem)) throw error;
        const problem = error;
        setState((/** @type {Estimated} */ before) => ({ ...before, problem, busy: false }));
      }
    };
    setState((/** @type {Estimated} */ before) => ({ ...before, busy: true }));
    const waiting = setTimeout(ask, PAUSE);
    return () => {
      clearTimeout(waiting);
      going.abort();
    };
  }, [path, body]);
  return state;
}
