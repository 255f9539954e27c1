// A series of each search over those of the others: how the cells learned, how accuracies rose.

import { useEach } from "../../hooks.js";
import { Loading, Panel } from "../../parts/basics.js";
import { Chart } from "../../parts/chart.js";
import { ask, usePlace } from "../../router.js";
import { html, useMemo } from "../../view.js";
import { dashOf, equals, laterOf, listed, widthOf } from "./strokes.js";

/** Enough for a chart as wide as a screen. */
const POINTS = 500;

/** Those that say the most, first. */
const FIRST = ["train/winner/accuracy", "train/control/accuracy", "train/winner/loss", "distill/b1c1/loss"];

/** @param {{searches: any[], live: number}} props `live` counts the changes of the searches, after which they are read anew */
export function Losses({ searches, live }) {
  const names = useNames(searches, live);
  const asked = usePlace().query.get("series");
  const name = asked && names.includes(asked) ? asked : names[0];
  return html`<${Panel} title="Series" actions=${name && html`<${Choice} names=${names} name=${name} />`}>
    ${name ? html`<${Overlaid} searches=${searches} name=${name} live=${live} />` : html`<p class="empty">None of them has told anything yet: series begin when a search runs.</p>`}
  </${Panel}>`;
}

/** The series that any of them has. @param {any[]} searches @param {number} live @returns {string[]} */
function useNames(searches, live) {
  const { found } = useEach(
    searches.map((search) => ({ path: `searches/${search.id}/metrics/series`, query: { limit: 200 } })),
    live,
  );
  return useMemo(() => {
    const names = new Set(found.flatMap(({ data }) => (data?.items ?? []).map((/** @type {any} */ series) => series.name)));
    const first = FIRST.filter((name) => names.delete(name));
    return [...first, ...[...names].sort((one, other) => one.localeCompare(other, "en", { numeric: true }))];
  }, [found]);
}

/** @param {{names: string[], name: string}} props */
const Choice = ({ names, name }) => html`<label class="inline">Series
  <select value=${name} onChange=${(/** @type {any} */ event) => ask({ series: event.target.value })}>
    ${names.map((one) => html`<option key=${one} value=${one} selected=${one === name}>${inWords(one)}</option>`)}
  </select>
</label>`;

/** Networks of which there is one. */
const WHOLE = ["teacher", "winner", "control"];

/** "accuracy of the winner", "loss of cell b1c1". @param {string} name of a series, as the API has it */
function inWords(name) {
  const [phase, of, what] = name.split("/");
  if (what === undefined) return name;
  const whose = { train: WHOLE.includes(of) ? `the ${of}` : of, distill: `cell ${of}` }[phase];
  return whose ? `${what.replaceAll("_", " ")} of ${whose}` : name;
}

/** @param {{points: [number, number][]}} line */
const keyOf = ({ points }) => points.join();

/** @param {{searches: any[], name: string, live: number}} props */
function Overlaid({ searches, name, live }) {
  const { found, loading } = useEach(
    searches.map((search) => ({ path: `searches/${search.id}/metrics`, query: { prefix: name, points: POINTS } })),
    live,
  );
  const lines = useMemo(
    () =>
      searches
        .map((search, place) => ({ id: search.id, name: search.name || search.id, colour: place, points: found[place]?.data?.series[name] ?? [] }))
        .filter((line) => line.points.length)
        .map((line, place, all) => ({ ...line, key: keyOf(line), dash: dashOf(line.colour), width: widthOf(laterOf(all.map(keyOf))[place]) })),
    [found, name],
  );
  if (loading) return html`<${Loading} what="Reading the series" />`;
  const isLoss = name.endsWith("loss");
  return html`${equals(lines).map((same) => html`<p class="equal" key=${same[0].key}>It is equal in ${listed(same.map(({ name }) => `“${name}”`))}: the lines lie upon one another.</p>`)}
    <${Chart} lines=${lines} x=${name.startsWith("train/") ? "epoch" : "step"} y=${name.split("/").at(-1)} log=${isLoss}
    label="${inWords(name)} in ${lines.map((line) => line.name).join(", ")}" empty="None of them has this series." />`;
}
