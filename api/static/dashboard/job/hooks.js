// A job in components: followed while a page shows it.

import { useAnew } from "../hooks.js";
import { useChanges } from "../live.js";
import { useSignal } from "../signal.js";
import { useEffect, useMemo, useRef, useState } from "../view.js";
import { Following } from "./following.js";
import { RESUMABLE } from "./kinds.js";

/**
 * A job, live. `following` tells of its events as they come, and reads it anew after something was done to it.
 * @param {import("./kinds.js").Kind} kind
 * @param {string} id
 */
export function useJob(kind, id) {
  const returns = useReturns();
  const before = useRef(/** @type {Following | null} */ (null));
  const following = useMemo(() => (before.current = new Following(kind, id, before.current?.now.value)), [kind, id, returns]);
  useEffect(() => following.start(), [following]);
  useAnew(following.reload);
  const { job, at, problem } = useSignal(following.now);
  // Its own stream is over: that somebody resumes it elsewhere is told by that of all jobs.
  useChanges(job && RESUMABLE.has(job.state) ? [kind] : [], following.reload);
  return { job, at, problem, following, reload: following.reload };
}

/** Away for so long, one reads a job anew rather than all that has happened since. Milliseconds. */
const LONG = 300_000;

/** How often somebody has come back to the page after a long time. */
function useReturns() {
  const [returns, setReturns] = useState(0);
  useEffect(() => {
    let left = Date.now();
    const turned = () => {
      if (document.hidden) left = Date.now();
      else if (Date.now() - left > LONG) setReturns((/** @type {number} */ count) => count + 1);
    };
    document.addEventListener("visibilitychange", turned);
    return () => document.removeEventListener("visibilitychange", turned);
  }, []);
  return returns;
}

/**
 * Calls back with the events of these types that come, each once and in order.
 * @param {Following} following
 * @param {string[]} events
 * @param {(messages: import("../stream.js").Message[]) => void} take must stay the same, or change with `following`
 */
export function useEvents(following, events, take) {
  const wanted = events.join(" ");
  useEffect(() => following.watch(wanted.split(" "), take), [following, wanted, take]);
}
