// Series of a job: thinned by the service to what a chart can show, whole again for the stretch that one zooms into, and live.

import { get, Problem } from "../client.js";
import { useAnew } from "../hooks.js";
import { useCallback, useEffect, useRef, useState } from "../view.js";
import { useEvents } from "./hooks.js";

/** @typedef {Record<string, [number, number][]>} Series */
/** @typedef {[string, number, number]} Point name of the series, x, y */
/** @typedef {import("../parts/uplot.js").Range} Range */

/** Points of a series that are asked for: the lowest and the highest of every few pixels that a chart is wide. */
const POINTS = 500;

/** What comes is drawn at most so often. Milliseconds. */
const PAUSE = 1000;

/**
 * @param {import("./following.js").Following} following
 * @param {string} prefix of the names of the series
 * @param {Range | null} [range] of x
 * @returns {{series: Series | null, problem: Problem | null, reload: () => void}} `series` is null until they are read
 */
export function useMetrics(following, prefix, range = null) {
  const [state, setState] = useState({ series: /** @type {Series | null} */ (null), problem: /** @type {Problem | null} */ (null) });
  // What has come since the last drawing, and while the series are being read.
  const came = useRef({ points: /** @type {Point[]} */ ([]), reading: /** @type {Point[]} */ ([]), timer: 0 });
  const [least, most] = range ?? [null, null];
  const turn = useRef(0);
  const read = useCallback(async () => {
    const mine = (turn.current += 1);
    try {
      const reading = (came.current.reading = /** @type {Point[]} */ ([]));
      const { series } = await get(`${following.path}/metrics`, { prefix, points: POINTS, x_min: least, x_max: most });
      // Of two that were asked for, the later one counts, whichever comes first.
      if (mine === turn.current) setState({ series: joined(series, reading), problem: null });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (mine === turn.current) setState((/** @type {any} */ before) => ({ ...before, problem: error }));
    }
  }, [following, prefix, least, most]);
  useAnew(read);
  useEffect(() => {
    read();
    return () => {
      clearTimeout(came.current.timer);
      came.current.timer = 0;
    };
  }, [read]);
  const draw = useCallback(() => {
    const { points } = came.current;
    came.current = { ...came.current, points: [], timer: 0 };
    setState((/** @type {any} */ before) => (before.series ? { ...before, series: joined(before.series, points) } : before));
  }, []);
  const take = useCallback(
    (/** @type {import("../stream.js").Message[]} */ messages) => {
      for (const { data } of messages) {
        const within = (least === null || data.x >= least) && (most === null || data.x <= most);
        if (!data.series.startsWith(prefix) || !within) continue;
        came.current.points.push([data.series, data.x, data.y]);
        came.current.reading.push([data.series, data.x, data.y]);
      }
      if (came.current.points.length) came.current.timer ||= setTimeout(draw, PAUSE);
    },
    [prefix, least, most, draw],
  );
  useEvents(following, ["metric"], take);
  const grown = state.series && Object.values(state.series).some((points) => points.length > 2 * POINTS);
  useEffect(() => {
    if (grown) read();
  }, [grown, read]);
  return { ...state, reload: read };
}

/**
 * The series with points that came later; one that was there already, as after a resume, has its new value.
 * @param {Series} series stays as it is
 * @param {Point[]} points
 * @returns {Series}
 */
function joined(series, points) {
  /** @type {Record<string, [number, number][]>} */
  const changed = {};
  for (const [name, x, y] of points) {
    const of = (changed[name] ??= [...(series[name] ?? [])]);
    const place = placeOf(of, x);
    of.splice(place, of[place]?.[0] === x ? 1 : 0, [x, y]);
  }
  return { ...series, ...changed };
}

/** Of the first point that is not before x. @param {[number, number][]} points @param {number} x */
function placeOf(points, x) {
  let [first, last] = [0, points.length];
  if (last && points[last - 1][0] < x) return last;
  while (first < last) {
    const middle = (first + last) >> 1;
    if (points[middle][0] < x) first = middle + 1;
    else last = middle;
  }
  return first;
}
