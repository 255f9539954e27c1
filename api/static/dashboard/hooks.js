// Data of the API in components: read, read again, read page by page.

import { address, get, Problem } from "./client.js";
import { answering } from "./connection.js";
import { plain, progress } from "./format.js";
import { useChanges } from "./live.js";
import { signIns } from "./session.js";
import { useCallback, useEffect, useMemo, useRef, useState } from "./view.js";

/** @typedef {import("./client.js").Query} Query */
/** @typedef {{data: any, problem: Problem | null, loading: boolean, reload: () => Promise<void>}} Resource */

/**
 * Whether what was read before may stay in view: it does where the service is away or busy, or wants a key, and not where it refuses to show
 * it any more.
 * @param {Problem} problem
 */
export const passes = ({ status }) => status === 0 || status === 401 || status === 429 || status >= 500;

/** Reads again after a sign-in, and when the service answers that did not. @param {() => unknown} read */
export function useAnew(read) {
  const latest = useRef(read);
  latest.current = read;
  useEffect(() => {
    const ends = [signIns.watch(() => latest.current()), answering.watch(() => answering.value && latest.current())];
    return () => ends.forEach((end) => end());
  }, []);
}

/**
 * What a path answers. While it is read anew, what was known before stays.
 * @param {string | null} path null asks nothing
 * @param {Query} [query]
 * @returns {Resource}
 */
export function useResource(path, query) {
  const wanted = path === null ? null : address(path, query);
  const [state, setState] = useState({ data: /** @type {any} */ (null), problem: /** @type {Problem | null} */ (null), of: wanted });
  const asked = useRef(/** @type {AbortController | null} */ (null));
  const reload = useCallback(async () => {
    asked.current?.abort();
    if (wanted === null) return;
    const going = (asked.current = new AbortController());
    try {
      const data = await get(wanted, undefined, going.signal);
      setState({ data, problem: null, of: wanted });
    } catch (error) {
      if (going.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      const problem = error;
      const stays = passes(problem);
      setState((/** @type {any} */ before) => ({ data: stays && before.of === wanted ? before.data : null, problem, of: wanted }));
    }
  }, [wanted]);
  useEffect(() => {
    reload();
    return () => asked.current?.abort();
  }, [reload]);
  useAnew(reload);
  const { data, problem } = state.of === wanted ? state : { data: null, problem: null };
  return { data, problem, loading: wanted !== null && data === null && problem === null, reload };
}

/**
 * What several paths answer, in their order. What was known before stays until all are read anew.
 * @param {{path: string, query?: Query}[]} wanted
 * @param {number} [turn] when it changes, all are read again
 * @returns {{found: {data: any, problem: Problem | null}[], loading: boolean, reload: () => Promise<void>}}
 */
export function useEach(wanted, turn = 0) {
  const of = wanted.map(({ path, query }) => address(path, query)).join(" ");
  const [state, setState] = useState({ found: /** @type {{data: any, problem: Problem | null}[]} */ ([]), of: "" });
  const going = useRef(/** @type {AbortController | null} */ (null));
  const reload = useCallback(async () => {
    going.current?.abort();
    const { signal } = (going.current = new AbortController());
    const found = await Promise.all(of.split(" ").filter(Boolean).map((path) => settled(path, signal)));
    if (!signal.aborted) setState({ found, of });
  }, [of]);
  useEffect(() => {
    reload();
    return () => going.current?.abort();
  }, [reload, turn]);
  useAnew(reload);
  return state.of === of ? { found: state.found, loading: false, reload } : { found: NOTHING, loading: true, reload };
}

/** @type {any[]} the same one each time, so that what is made of it is not made again */
const NOTHING = [];

/** @param {string} path @param {AbortSignal} signal @returns {Promise<{data: any, problem: Problem | null}>} */
async function settled(path, signal) {
  try {
    return { data: await get(path, undefined, signal), problem: null };
  } catch (error) {
    if (error instanceof Problem) return { data: null, problem: error };
    if (signal.aborted) return { data: null, problem: null };
    throw error;
  }
}

/**
 * A list, one page after the other.
 * @param {string} path
 * @param {Query} query
 * @param {string[]} [kinds] kinds of jobs: when one of these changes, the pages that show are read again, at most every two seconds
 * @returns {{items: any[], problem: Problem | null, loading: boolean, more: (() => Promise<void>) | null, reload: () => Promise<void>}}
 */
export function usePages(path, query, kinds = []) {
  const first = address(path, query);
  const [state, setState] = useState({ items: /** @type {any[] | null} */ (null), next: null, problem: /** @type {Problem | null} */ (null), of: first });
  const now = useRef(state);
  now.current = state;
  const read = useCallback(
    async (/** @type {string | null} */ cursor, /** @type {any[]} */ before) => {
      const page = await get(path, { ...query, cursor });
      return { items: [...before, ...page.items], next: page.next, problem: null, of: first };
    },
    [first],
  );
  const wanted = useRef(first);
  wanted.current = first;
  // One reading after the other; what comes when something else is wanted by then is let go.
  const line = useMemo(() => ({ last: Promise.resolve() }), [first]);
  const settle = useCallback(
    (/** @type {() => Promise<any>} */ begin) => {
      line.last = line.last.then(async () => {
        if (wanted.current !== first) return;
        const found = await begin().catch((error) => {
          if (error instanceof Problem) return error;
          throw error;
        });
        if (wanted.current !== first) return;
        if (!(found instanceof Problem)) return setState(found);
        const stays = passes(found);
        setState((/** @type {any} */ before) => ({ ...before, items: stays && before.of === first ? before.items : null, problem: found, of: first }));
      });
      return line.last;
    },
    [first, line],
  );
  const reload = useCallback(() => settle(() => again(read, now.current.of === first ? now.current.items?.length ?? 0 : 0)), [read, settle]);
  useEffect(() => void reload(), [reload]);
  useAnew(reload);
  useChanges(kinds, reload);
  const shown = state.of === first ? state : { items: null, next: null, problem: null };
  const more = shown.next ? () => settle(() => read(shown.next, shown.items ?? [])) : null;
  return { items: shown.items ?? [], problem: shown.problem, loading: !shown.items && !shown.problem, more, reload };
}

/**
 * Pages from the first, until as many items are there as were before.
 * @param {(cursor: string | null, before: any[]) => Promise<any>} read
 * @param {number} length
 */
async function again(read, length) {
  let state = await read(null, []);
  while (state.next && state.items.length < length) state = await read(state.next, state.items);
  return state;
}

/**
 * A function that calls another at most every two seconds, however often it is called itself.
 * @param {() => unknown} act
 */
export function useOften(act) {
  const waiting = useRef(0);
  useEffect(() => () => clearTimeout(waiting.current), []);
  return useCallback(() => {
    waiting.current ||= setTimeout(() => {
      waiting.current = 0;
      act();
    }, OFTEN);
  }, [act]);
}

/** Milliseconds. */
const OFTEN = 2000;

/**
 * Draws the component again every so often, for ages and times left.
 * @param {number} seconds
 */
export function useTick(seconds) {
  const [, setTick] = useState(0);
  useEffect(() => {
    const ticking = setInterval(() => setTick((/** @type {number} */ count) => count + 1), 1000 * seconds);
    return () => clearInterval(ticking);
  }, [seconds]);
}

/**
 * @param {string} title of the page, for the tab and the history
 * @param {{state: string, progress: number} | null} [job] how far it is, is said before the title while it runs
 */
export function useTitle(title, job = null) {
  const said = job?.state === "running" ? `${progress(job.progress)} ${title}` : title;
  useEffect(() => {
    document.title = `${plain(said)} · DNA AutoML`;
  }, [said]);
}
