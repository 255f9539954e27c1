// The frontier of one cost: its points, and which of them lies under a limit.

import { useResource } from "../../../hooks.js";
import { useMemo } from "../../../view.js";

/** @typedef {import("./limits.js").Cost} Cost */
/** @typedef {{cost: number, loss: number, flops: number, params: number, latency_ns: number | null, blocks: import("../../../parts/blocks.js").Block[]}} Point */
/** @typedef {{points: Point[], least: number, most: number}} Curve `most`: what the best network of all costs; no higher limit finds a better one */

/**
 * @param {any} search
 * @param {Cost | null} cost null asks nothing
 * @returns {{curve: Curve | null, problem: import("../../../client.js").Problem | null}}
 */
export function useCurve(search, cost) {
  const { data, problem } = useResource(cost && `searches/${search.id}/frontier`, { cost, networks: false });
  const curve = useMemo(() => {
    if (!data?.points.length) return null;
    const points = data.points.map((/** @type {Point} */ point) => ({ ...point, blocks: widened(point.blocks, search.spec.space) }));
    return { points, least: points[0].cost, most: points.at(-1).cost };
  }, [data]);
  return { curve, problem };
}

/** A point names cells; how wide they are, the space says. @param {Point["blocks"]} blocks @param {any} space */
const widened = (blocks, space) =>
  blocks.map((block, number) => ({ ...block, width: space.blocks[number]?.cells[(block.cell ?? 1) - 1]?.width ?? null }));

/**
 * From the least of any network to the most of any that is best within some limit: further up a slider would change nothing.
 * @param {Cost} cost @param {Record<Cost, {curve: Curve | null}>} curves
 */
export function rangeOf(cost, curves) {
  const curve = curves[cost].curve;
  if (!curve) return null;
  const costs = Object.values(curves).flatMap(({ curve }) => curve?.points.map((point) => point[cost] ?? 0) ?? []);
  return { least: curve.least, most: Math.max(...costs) };
}

/** Place of the last point within a limit; -1 where none is. @param {Point[]} points @param {number} limit */
export function under(points, limit) {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].cost <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
