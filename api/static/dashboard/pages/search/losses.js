// How a search learns: the loss of every cell in distillation, and losses and accuracies of the networks in training; live, to be zoomed into.

import { percent } from "../../format.js";
import { useMetrics } from "../../job/metrics.js";
import { Chart } from "../../parts/chart.js";
import { Explained } from "../../parts/explained.js";
import { Loading, Panel, ProblemNote } from "../../parts/basics.js";
import { ask, usePlace } from "../../router.js";
import { html, useMemo } from "../../view.js";
import { Cells, cellsOf } from "./cells.js";
import { meanwhile } from "./networks.js";

/** @typedef {import("../../job/metrics.js").Series} Series */
/** @typedef {import("../../parts/uplot.js").Line} Line */
/** @typedef {import("../../parts/uplot.js").Range} Range */

const DASHED = [4, 4];

/** @param {{search: any, following: import("../../job/following.js").Following}} props */
export function Losses({ search, following }) {
  return html`<${Distillation} search=${search} following=${following} />
    <${Networks} search=${search} following=${following} />`;
}

/** @param {{search: any, following: import("../../job/following.js").Following}} props */
function Distillation({ search, following }) {
  const { query } = usePlace();
  const range = rangeOf(query);
  const { series, problem } = useMetrics(following, "distill/", range);
  const hidden = useMemo(() => new Set(query.getAll("hide")), [query.getAll("hide").join()]);
  const best = query.has("best");
  const cells = useMemo(() => cellsOf(search.spec.space), [search.spec.space]);
  const lines = useMemo(() => cells.flatMap((cell) => linesOf(cell, series?.[`distill/${cell.name}/loss`] ?? [], hidden.has(cell.name), best)), [cells, series, hidden, best]);
  const zoom = (/** @type {Range | null} */ to) => ask({ from: to && rounded(to[0]), to: to && rounded(to[1]) });
  return html`<${Panel} title="Loss of the cells" actions=${html`<${Switch} name="linear" label="Linear axis" /><${Switch} name="best" label="Best so far" />`}>
    <p class="faint">Relative L1 distance between the features of a cell and those of the teacher's block, by training step. Drag over a stretch to see all of it.</p>
    <${Cells} cells=${cells} hidden=${hidden} hide=${(/** @type {string[]} */ names) => ask({ hide: names })} />
    <${Explained} title="What b1c2 means" of=${["cell"]} />
    <${ProblemNote} of=${problem} />
    ${series
      ? html`<${Chart} lines=${lines} label="Loss of each cell by training step" x="step" y="loss" log=${!query.has("linear")} height=${360} range=${range} onRange=${zoom} legend=${false}
          empty=${range ? "There is no point in this stretch. Show all to get back." : `Losses appear when distillation begins; the teacher comes first. ${meanwhile(search)}`} />`
      : !problem && html`<${Loading} what="Reading the losses" />`}
  </${Panel}>`;
}

/** An end of a stretch, for the address. @param {number} step */
const rounded = (step) => String(Number(step.toPrecision(6)));

/** The stretch that the address names. @param {URLSearchParams} query @returns {Range | null} */
function rangeOf(query) {
  const [from, to] = [query.get("from"), query.get("to")].map((text) => (text ? Number(text) : NaN));
  return Number.isFinite(from) && Number.isFinite(to) && from < to ? [from, to] : null;
}

/**
 * @param {import("./cells.js").Cell} cell
 * @param {[number, number][]} points
 * @param {boolean} hidden
 * @param {boolean} best with the least loss so far
 * @returns {Line[]}
 */
function linesOf({ name, colour, dash }, points, hidden, best) {
  const line = { name, points, colour, dash, hidden };
  return best ? [line, { ...line, name: `${name}, best`, points: falling(points), dash: [1, 3] }] : [line];
}

/** The least value up to each point. @param {[number, number][]} points @returns {[number, number][]} */
function falling(points) {
  let least = Infinity;
  return points.map(([x, y]) => [x, (least = Math.min(least, y))]);
}

/** Something that is on where the address has it. @param {{name: string, label: string}} props */
function Switch({ name, label }) {
  const on = usePlace().query.has(name);
  return html`<label class="inline"><input type="checkbox" checked=${on} onChange=${() => ask({ [name]: on ? null : "on" })} /> ${label}</label>`;
}

/** @param {{search: any, following: import("../../job/following.js").Following}} props */
function Networks({ search, following }) {
  const { series, problem } = useMetrics(following, "train/");
  const losses = useMemo(() => drawn(series ?? {}, (what) => what.endsWith("loss"), "loss"), [series]);
  const accuracies = useMemo(() => drawn(series ?? {}, (what) => ["accuracy", "best"].includes(what), "accuracy"), [series]);
  if (!series) return html`<${ProblemNote} of=${problem} />`;
  return html`<div class="grid">
    <${Panel} title="Loss in training">
      <${Chart} lines=${losses} label="Training loss of teacher, winner and those beside it" x="step or epoch" y="loss" log empty=${`Training losses appear when the teacher, or the winner, is trained. ${meanwhile(search)}`} />
      <${Explained} title="What winner, control and finalist mean" of=${["winner", "control", "finalist"]} />
    </${Panel}>
    <${Panel} title="Accuracy in training">
      <${Chart} lines=${accuracies} label="Test accuracy of teacher, winner and those beside it, by epoch" x="epoch" y="accuracy" format=${share} empty=${`Accuracies appear after the first epoch of a training. ${meanwhile(search)}`} />
    </${Panel}>
  </div>`;
}

/** @param {number} value */
const share = (value) => percent(value);

/**
 * Lines of the series of networks, `train/NETWORK/WHAT`; what is not the first kind is dashed.
 * @param {Series} series
 * @param {(what: string) => boolean} wanted
 * @param {string} first
 * @returns {Line[]}
 */
function drawn(series, wanted, first) {
  const names = Object.keys(series).map((name) => name.split("/"));
  const networks = [...new Set(names.map(([, network]) => network))];
  return names
    .filter(([, , what]) => wanted(what))
    .map(([start, network, what]) => ({
      name: what === first ? network : `${network}, ${what.replaceAll("_", " ")}`,
      points: series[[start, network, what].join("/")],
      colour: networks.indexOf(network),
      dash: what === first ? undefined : DASHED,
      hidden: what === "best" || network.startsWith("finalist-"),
    }));
}
