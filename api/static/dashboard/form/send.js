// Sending what is written: once, however often the button is pressed or the answer is lost.

import { Problem, send } from "../client.js";
import { passes } from "../hooks.js";
import { useRef, useState } from "../view.js";

/** A random token; `crypto.randomUUID` is not there where a service is reached by plain HTTP. */
const token = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * @param {string} path
 * @param {{draft: import("./draft.js").Draft, change: (make: (draft: import("./draft.js").Draft) => import("./draft.js").Draft) => void}} written
 * @param {(made: any) => void} done
 */
export function useSend(path, { draft, change }, done) {
  const { refused } = draft;
  const [state, setState] = useState(() => ({ busy: false, problem: refused && new Problem(refused.status, refused.body), of: refused?.of ?? "" }));
  const going = useRef(false);
  /** Why it was not taken, if so. @param {string} body @returns {Promise<Problem | null>} */
  const run = async (body) => {
    if (going.current) return null;
    going.current = true;
    // The same request has the same key, also after a reload: the service makes one of both.
    const sent = draft.sent?.body === body ? draft.sent : { body, key: token() };
    change((/** @type {import("./draft.js").Draft} */ old) => ({ ...old, sent }));
    setState({ busy: true, problem: null, of: body });
    try {
      const answer = await send("POST", path, { body, headers: { "Content-Type": "application/json", "Idempotency-Key": sent.key } });
      done(await answer.json());
      return null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setState({ busy: false, problem: error, of: body });
      // That it is away or busy is over by the time that somebody comes back.
      const { status, body: said } = error;
      if (!passes(error)) change((/** @type {import("./draft.js").Draft} */ old) => ({ ...old, refused: { of: body, status, body: said } }));
      return error;
    } finally {
      going.current = false;
    }
  };
  return { ...state, run };
}
