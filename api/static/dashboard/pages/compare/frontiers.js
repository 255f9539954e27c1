// The exact frontiers over one another, where they mean the same.

import { count, loss } from "../../format.js";
import { useEach } from "../../hooks.js";
import { Loading, Panel } from "../../parts/basics.js";
import { Chart } from "../../parts/chart.js";
import { Mark } from "../../parts/plot.js";
import { colourOf } from "../../parts/uplot.js";
import { ask, usePlace } from "../../router.js";
import { html, useMemo } from "../../view.js";
import { dashOf, equals, laterOf, listed, widthOf } from "./strokes.js";

/** @type {[Cost, string, string][]} what the API calls it, what it is called, and the unit of an axis */
const COSTS = [
  ["flops", "FLOPs", "FLOPs (multiply-adds)"],
  ["params", "parameters", "parameters"],
];

/** Points of a frontier, as many as a chart shows. */
const POINTS = 500;

/** Costs that differ by such a factor are drawn on a logarithmic axis. */
const WIDE = 8;

/** @param {{searches: any[]}} props */
export function Frontiers({ searches }) {
  const asked = usePlace().query.get("cost");
  const [cost, called, axis] = COSTS.find(([name]) => name === asked) ?? COSTS[0];
  const rated = searches.filter((search) => search.best);
  const { found, loading } = useEach(rated.map((search) => ({ path: `searches/${search.id}/frontier`, query: { cost, networks: false, points: POINTS } })));
  const drawn = useMemo(
    () => rated.map((search, place) => ({ search, number: searches.indexOf(search), points: found[place]?.data?.points ?? [] })),
    [found],
  );
  const groups = grouped(drawn);
  return html`<${Panel} title="Frontiers" actions=${html`<${Choice} cost=${cost} />`}>
    ${loading && html`<${Loading} what="Reading the frontiers" />`}
    ${groups.length > 1 && html`<p class="note note-warn">
      Their predicted losses cannot be compared: they are distances to what a teacher computes on a dataset, and ${apart(rated)}. Those that
      can are drawn together.
    </p>`}
    ${groups.map(({ key, of }) => html`<${Group} key=${key} of=${of} cost=${cost} called=${called} axis=${axis} />`)}
    ${!rated.length && html`<p class="empty">None of them has rated its networks yet. The frontier of a search is known when its phase “select” is done.</p>`}
  </${Panel}>`;
}

/** @typedef {"flops" | "params"} Cost */

/** @param {{of: any[], cost: Cost, called: string, axis: string}} props */
function Group({ of, cost, called, axis }) {
  const lines = useMemo(() => linesOf(of, cost), [of, cost]);
  const costs = lines.flatMap((line) => [...line.points, ...line.marks.map(({ x }) => [x])].map(([cost]) => cost));
  const wide = Math.max(...costs) > WIDE * Math.min(...costs);
  return html`<${Chart} lines=${lines} x=${axis} y="predicted loss, lower is better" logX=${wide} formatX=${count} empty="Their frontiers are being read."
      label="Frontiers of ${lines.map((line) => line.name).join(", ")}: predicted loss over ${axis}. Lower and further left is better" />
    ${equals(lines.filter(({ points }) => points.length)).map((same) => html`<p class="equal" key=${same[0].key}>
      The frontiers of ${listed(same.map(({ name }) => `“${name}”`))} are equal, point for point: their lines lie upon one another.</p>`)}
    <${Marks} of=${of} lines=${lines} cost=${cost} called=${called} />`;
}

/** @param {any[]} of @param {Cost} cost */
function linesOf(of, cost) {
  const keys = of.map(({ points }) => points.map((/** @type {any} */ point) => `${point.cost} ${point.loss.toPrecision(ALIKE)}`).join());
  const winners = of.map(({ search }) => `${search.best[cost]} ${search.best.loss?.toPrecision(ALIKE)}`);
  const [above, aboveWinner] = [laterOf(keys), laterOf(winners)];
  return of.map(({ search, number, points }, place) => ({
    id: search.id,
    name: search.name || search.id,
    key: keys[place],
    colour: number,
    dash: dashOf(number),
    width: widthOf(above[place]),
    points: stair(points),
    marks: marksOf(search, cost, STAR + STAR * aboveWinner[place] * 0.6),
  }));
}

/** Digits of a loss: of two searches that did the same, the last ones are rounded otherwise. */
const ALIKE = 5;

/** A winner's mark, beside that of charts with one search; larger where another's lies upon it. */
const STAR = 1.3;

/** The winner, and the limit of the budget. @param {any} search @param {Cost} cost @param {number} size @returns {import("../../parts/marks.js").Marked[]} */
function marksOf({ best, spec }, cost, size) {
  const limit = spec.budget[cost];
  return [
    ...(best.loss === null ? [] : [{ x: best[cost], y: best.loss, shape: /** @type {const} */ ("star"), size }]),
    ...(limit ? [{ x: limit, y: null, text: `budget ${count(limit)}` }] : []),
  ];
}

/** What the marks are, in words: as much as the chart shows of each search. @param {{of: any[], lines: any[], cost: Cost, called: string}} props */
const Marks = ({ of, lines, cost, called }) => html`<ul class="plot-marks">
  ${of.map(({ search: { id, best, spec } }, place) => html`<li key=${id}>
    <svg width="16" height="16" viewBox="-11 -11 22 22" aria-hidden="true"><g style=${{ "--text": `var(${colourOf(lines[place], place)})` }}><${Mark} shape="star" x=${0} y=${0} /></g></svg>winner
    of <bdi>${lines[place].name}</bdi>: ${count(best[cost])} ${called}${best.loss !== null && `, predicted loss ${loss(best.loss)}`}; ${spec.budget[cost]
      ? `budget, the upright line: at most ${count(spec.budget[cost])}`
      : `its budget has no limit of ${called}`}</li>`)}
</ul>`;

/**
 * Between two points the cheaper one is the best that fits.
 * @param {{cost: number, loss: number}[]} points by cost
 * @returns {[number, number][]}
 */
const stair = (points) =>
  points.flatMap(({ cost, loss }, place) => {
    const next = points[place + 1];
    return next ? [[cost, loss], [next.cost - EDGE * (next.cost - cost), loss]] : [[cost, loss]];
  });

/** A chart has one value for each x: the edge of a step is this share of it wide. */
const EDGE = 1e-6;

/** @param {{cost: string}} props */
const Choice = ({ cost }) => html`<label class="inline">Over
  <select value=${cost} onChange=${(/** @type {any} */ event) => ask({ cost: event.target.value === COSTS[0][0] ? null : event.target.value })}>
    ${COSTS.map(([name, called]) => html`<option key=${name} value=${name} selected=${name === cost}>${called}</option>`)}
  </select>
</label>`;

/**
 * What a predicted loss is measured by: where searches differ in one of these, their losses are two different things.
 * @type {[string, (spec: any) => unknown][]}
 */
const MEASURES = [
  ["the datasets", ({ dataset }) => [dataset.name, dataset.version, dataset.num_train]],
  ["the teachers", ({ teacher, seed }) => [teacher, teacher.weights === "pretrained" ? null : seed]],
  ["the sizes of the pictures", (spec) => spec.input_size],
  ["the weights of the blocks", (spec) => spec.block_weights],
];

/** @param {any} search */
const measure = ({ spec }) => JSON.stringify(MEASURES.map(([, of]) => of(spec) ?? null));

/** Those together whose losses can be compared. @param {any[]} drawn */
function grouped(drawn) {
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for (const one of drawn) groups.set(measure(one.search), [...(groups.get(measure(one.search)) ?? []), one]);
  return [...groups].map(([key, of]) => ({ key, of }));
}

/** In which respects they differ, in words. @param {any[]} searches */
function apart(searches) {
  const said = MEASURES.filter(([, of]) => new Set(searches.map(({ spec }) => JSON.stringify(of(spec)))).size > 1);
  return `${said.map(([what]) => what).join(" and ")} of these searches differ`;
}
