// The budget of the page: from the address, or else from the search; while a line is dragged it runs ahead of the address.

import { ask, usePlace } from "../../../router.js";
import { useEffect, useRef, useState } from "../../../view.js";
import { COSTS, limitsOfAddress, limitsOfSearch } from "./limits.js";

/** @typedef {import("./limits.js").Cost} Cost */
/** @typedef {import("./limits.js").Limits} Limits */

/** A browser lets an address be changed only so often: it waits until the line rests. Milliseconds. */
const REST = 300;

/**
 * @param {any} search
 * @returns {{limits: Limits, limit: (cost: Cost, value: number | null) => void}} `limit` sets one, or takes it away
 */
export function useLimits(search) {
  const { query } = usePlace();
  const written = Object.keys(COSTS).map((cost) => query.get(cost) ?? "").join(" ");
  const [limits, setLimits] = useState(() => limitsOfAddress(query) ?? limitsOfSearch(search));
  const mine = useRef(written);
  const timer = useRef(0);
  useEffect(() => {
    // Somebody else has changed the address: a link, or "back".
    if (written !== mine.current) setLimits(limitsOfAddress(query) ?? limitsOfSearch(search));
    mine.current = written;
  }, [written]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const now = useRef(limits);
  now.current = limits;
  const limit = (/** @type {Cost} */ cost, /** @type {number | null} */ value) => {
    const { [cost]: _, ...others } = now.current;
    now.current = value === null ? others : { ...others, [cost]: Math.round(value) };
    setLimits(now.current);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const texts = Object.fromEntries(Object.keys(COSTS).map((cost) => [cost, String(now.current[/** @type {Cost} */ (cost)] ?? "")]));
      mine.current = Object.values(texts).join(" ");
      ask(texts);
    }, REST);
  };
  return { limits, limit };
}
