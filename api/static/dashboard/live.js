// What has changed anywhere: the stream of the whole service, shared by all who watch it on a page.

import { follow } from "./stream.js";
import { useEffect, useRef } from "./view.js";

/** @typedef {{kind: string, id: string, state: string, progress: number}} Change */

/** At most so often somebody is told. Milliseconds. */
const PAUSE = 2000;

/** @type {Set<(kinds: Set<string> | null) => void>} */
const watchers = new Set();
/** @type {(() => void) | null} */
let end = null;

/** @param {import("./stream.js").Message[]} messages */
function tell(messages) {
  // The stream begins with the present: what was missed while it was away must be read anew.
  const anew = messages.some((message) => message.event === "hello");
  const kinds = anew ? null : new Set(messages.map((message) => message.data.kind));
  for (const watcher of [...watchers]) watcher(kinds);
}

/** @param {(kinds: Set<string> | null) => void} watcher */
function watch(watcher) {
  watchers.add(watcher);
  end ??= follow("changes", tell);
  return () => {
    watchers.delete(watcher);
    if (watchers.size) return;
    end?.();
    end = null;
  };
}

/**
 * Calls back when something of these kinds has changed, at most every two seconds. With no kinds it watches nothing.
 * @param {string[]} kinds such as `search`, `training`, `tuning`, `dataset`
 * @param {() => unknown} changed
 */
export function useChanges(kinds, changed) {
  const latest = useRef(changed);
  latest.current = changed;
  const wanted = kinds.join(" ");
  useEffect(() => {
    if (!wanted) return;
    let waiting = 0;
    let told = 0;
    const call = () => {
      waiting = 0;
      told = Date.now();
      latest.current();
    };
    const end = watch((kinds) => {
      if (kinds && !wanted.split(" ").some((kind) => kinds.has(kind))) return;
      waiting ||= setTimeout(call, Math.max(0, told + PAUSE - Date.now()));
    });
    return () => {
      clearTimeout(waiting);
      end();
    };
  }, [wanted]);
}
