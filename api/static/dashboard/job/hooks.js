// A job in components: followed while a page shows it.

import { useAnew } from "../hooks.js";
import { useSignal } from "../signal.js";
import { useEffect, useMemo } from "../view.js";
import { Following } from "./following.js";

/**
 * A job, live. `following` tells of its events as they come, and reads it anew after something was done to it.
 * @param {import("./kinds.js").Kind} kind
 * @param {string} id
 */
export function useJob(kind, id) {
  const following = useMemo(() => new Following(kind, id), [kind, id]);
  useEffect(() => following.start(), [following]);
  useAnew(following.reload);
  const { job, at, problem } = useSignal(following.now);
  return { job, at, problem, following, reload: following.reload };
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
