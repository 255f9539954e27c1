// The log of a job: its end first, earlier lines on demand, new ones as they come. Thousands of lines are drawn in pieces of which only the
// last changes, and the browser lays out those that show.

import { get, Problem } from "../client.js";
import { useAnew } from "../hooks.js";
import { Empty, Loading, ProblemNote } from "../parts/basics.js";
import { ask, usePlace } from "../router.js";
import { html, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../view.js";
import { useEvents } from "./hooks.js";
import { FINISHED } from "./kinds.js";
import { Line, lineOf } from "./line.js";

/** @typedef {{seq: number, type: string, data: any}} Event */

/** What is told: lines that were written, and what became of the job and its steps. */
const TYPES = ["log", "step", "state"];

/** Lines that are read at once, and that make a piece. */
const PAGE = 200;

/** So far from the end one still reads the end. Pixels. */
const NEAR = 40;

/** @param {{job: any, following: import("./following.js").Following}} props */
export function Log({ job, following }) {
  const step = usePlace().query.get("step") ?? "";
  return html`<div class="filters">
      <label>Step <select value=${step} onChange=${(/** @type {any} */ event) => ask({ step: event.target.value })}>
        <option value="">all</option>
        ${[...new Set([...job.steps.map((/** @type {any} */ one) => one.key), ...(step ? [step] : [])])].map((key) => html`<option key=${key} value=${key}>${key}</option>`)}
      </select></label>
    </div>
    <${Lines} key=${step} step=${step} job=${job} following=${following} />`;
}

/** @param {{step: string, job: any, following: import("./following.js").Following}} props */
function Lines({ step, job, following }) {
  const { events, problem, more, earlier, again } = useLog(following, step);
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const inner = useRef(/** @type {HTMLDivElement | null} */ (null));
  const reader = useRef({ atEnd: true, height: 0 });
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    if (reader.current.atEnd) element.scrollTop = element.scrollHeight;
    else if (reader.current.height) element.scrollTop += element.scrollHeight - reader.current.height;
    reader.current.height = 0;
  }, [events]);
  // Lines that come into view may turn out higher than was thought.
  useEffect(() => {
    const [element, lines] = [place.current, inner.current];
    if (!element || !lines) return;
    const grown = new ResizeObserver(() => {
      if (reader.current.atEnd) element.scrollTop = element.scrollHeight;
    });
    grown.observe(lines);
    return () => grown.disconnect();
  }, [Boolean(events?.length)]);
  const scrolled = () => {
    const element = place.current;
    if (element) reader.current.atEnd = element.scrollTop + element.clientHeight > element.scrollHeight - NEAR;
  };
  const before = () => {
    reader.current = { atEnd: false, height: place.current?.scrollHeight ?? 0 };
    return earlier();
  };
  if (problem && !events) return html`<${ProblemNote} of=${problem} retry=${again} />`;
  if (!events) return html`<${Loading} what="Reading the log" />`;
  if (!events.length) return html`<${Empty}>${FINISHED.has(job.state) ? "Nothing was written." : "Nothing was written yet: lines appear here as workers write them."}</${Empty}>`;
  return html`<${ProblemNote} of=${problem} retry=${again} /><div class="log" ref=${place} onScroll=${scrolled} tabindex="0" role="log" aria-label="Log">
    ${more && html`<p class="log-more"><button type="button" onClick=${before}>Show earlier lines</button></p>`}
    <div ref=${inner}>${pieces(events).map(({ first, lines }) => html`<${Piece} key=${first} lines=${lines} />`)}</div>
  </div>`;
}

/**
 * The lines, cut at numbers that stay the same whatever is added at either end.
 * @param {Event[]} events in order
 */
function pieces(events) {
  /** @type {{first: number, lines: Event[]}[]} */
  const found = [];
  for (const event of events) {
    const first = Math.floor(event.seq / PAGE);
    if (found.at(-1)?.first !== first) found.push({ first, lines: [] });
    found.at(-1)?.lines.push(event);
  }
  return found;
}

/** @param {{lines: Event[]}} props */
function Piece({ lines }) {
  // The same element as before is not looked at again.
  return useMemo(() => html`<div class="log-piece" style=${{ containIntrinsicSize: `auto ${lines.length * 1.5}rem` }}>${lines.map((event) => html`<${Line} key=${event.seq} line=${lineOf(event)} />`)}</div>`, [
    lines.length,
    lines[0].seq,
    lines.at(-1)?.seq,
  ]);
}

/**
 * The lines of a job or of one of its steps; none is missing between those that were read and those that come.
 * @param {import("./following.js").Following} following
 * @param {string} step all where it is empty
 */
function useLog(following, step) {
  const [state, setState] = useState({ events: /** @type {Event[] | null} */ (null), next: /** @type {string | null} */ (null), problem: /** @type {Problem | null} */ (null) });
  const came = useRef(/** @type {Event[]} */ ([]));
  const failed = useRef(/** @type {string | null} where a reading began that failed */ (null));
  const take = useCallback((/** @type {import("../stream.js").Message[]} */ messages) => {
    const lines = messages.filter((message) => !step || message.data.step === step).map(({ id, event, data }) => ({ seq: Number(id), type: event, data }));
    came.current.push(...lines);
    setState((/** @type {any} */ before) => (before.events ? { ...before, events: joined(before.events, lines) } : before));
  }, [step]);
  useEvents(following, TYPES, take);
  const read = useCallback(
    async (/** @type {string | null} */ cursor) => {
      try {
        const page = await get(`${following.path}/events/list`, { type: TYPES, sort: "-seq", step, limit: PAGE, cursor });
        const older = page.items.toReversed();
        setState((/** @type {any} */ before) => ({ events: joined(older, before.events ?? came.current), next: page.next, problem: null }));
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        failed.current = cursor;
        setState((/** @type {any} */ before) => ({ ...before, problem: error }));
      }
    },
    [following, step],
  );
  useEffect(() => void read(null), [read]);
  const again = () => read(failed.current);
  useAnew(() => state.problem && again());
  return { events: state.events, problem: state.problem, more: state.next !== null, earlier: () => read(state.next), again };
}

/**
 * Both in order, the second behind the first; what both have is there once.
 * @param {Event[]} first
 * @param {Event[]} second
 */
function joined(first, second) {
  const last = first.at(-1)?.seq ?? 0;
  return [...first, ...second.filter((event) => event.seq > last)];
}
