// All trials of a tuning, and which of them the filters leave: every plot of the page, and its table, show the same ones.

import { get, Problem } from "../../client.js";
import { usePlace } from "../../router.js";
import { useCallback, useEffect, useMemo, useState } from "../../view.js";

/** @typedef {number | string | boolean} Value of a field of a recipe */
/** @typedef {{number: number, state: string, params: Record<string, Value> | null, value: number | null, log_loss: number | null,
 *   epochs: number, curve: [number, number][], progress: number, attempt: number, device: string | null, engine_seconds: number,
 *   error: {message: string} | null, started_at: string | null, finished_at: string | null}} Trial */
/** @typedef {{field: string, low: number, high: number}} Span an interval of a field that trials are to lie in, or of `accuracy` */

/**
 * @param {string} id of the tuning
 * @returns {{trials: Trial[] | null, problem: Problem | null, reload: () => Promise<void>}}
 */
export function useTrials(id) {
  const [state, setState] = useState({ trials: /** @type {Trial[] | null} */ (null), problem: /** @type {Problem | null} */ (null) });
  const reload = useCallback(async () => {
    try {
      setState({ trials: await all(id), problem: null });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const problem = error;
      setState((/** @type {any} */ before) => ({ ...before, problem }));
    }
  }, [id]);
  useEffect(() => void reload(), [reload]);
  return { ...state, reload };
}

/** @param {string} id @returns {Promise<Trial[]>} */
async function all(id) {
  const trials = [];
  for (let cursor = null; ; ) {
    const page = await get(`tunings/${id}/trials`, { limit: 200, cursor });
    trials.push(...page.items);
    cursor = page.next;
    if (!cursor) return trials;
  }
}

/** States that a trial may be narrowed to. */
export const STATES = ["complete", "pruned", "diverged", "running", "failed"];

/**
 * What the address asks for.
 * @param {URLSearchParams} query
 * @returns {{states: string[], best: number, spans: Span[]}} `best`: only so many of the best; 0 for all
 */
export function filters(query) {
  const spans = query.getAll("span").map((text) => {
    const [high, low, ...field] = text.split(":").reverse();
    return { field: field.reverse().join(":"), low: Number(low), high: Number(high) };
  });
  return { states: query.getAll("trial_state"), best: Number(query.get("best")) || 0, spans };
}

/** @param {Span} span */
export const written = ({ field, low, high }) => `${field}:${low}:${high}`;

/** A field of a trial, or its accuracy. @param {Trial} trial @param {string} field @returns {Value | null} */
export const valueOf = (trial, field) => (field === "accuracy" ? trial.value : trial.params?.[field] ?? null);

/** @param {Trial[]} trials */
export function useFiltered(trials) {
  const { query } = usePlace();
  const text = query.toString();
  return useMemo(() => {
    const { states, best, spans } = filters(query);
    const left = trials.filter(
      (trial) =>
        (!states.length || states.includes(trial.state)) &&
        spans.every(({ field, low, high }) => {
          const value = valueOf(trial, field);
          return typeof value === "number" && value >= low && value <= high;
        }),
    );
    if (!best) return left;
    const ranked = left.filter((trial) => trial.value !== null).sort((one, other) => Number(other.value) - Number(one.value));
    const kept = new Set(ranked.slice(0, best));
    return left.filter((trial) => kept.has(trial));
  }, [trials, text]);
}
