// Curves of trainings over one another: accuracy and loss by epoch.

import { get, Problem } from "../../client.js";
import { loss, percent } from "../../format.js";
import { Panel, ProblemNote } from "../../parts/basics.js";
import { Chart } from "../../parts/chart.js";
import { html, useEffect, useMemo, useState } from "../../view.js";
import { titleOf } from "../network/called.js";

/** Points of a curve; the service keeps the extremes of what it leaves out. */
const POINTS = 400;
/** So many are still told apart. */
const MOST = 8;

/** @typedef {Record<string, [number, number][]>} Series points of a training, by name */

/** @param {{trainings: any[]}} props the first of them are drawn; what is still running is read again as it goes on */
export function Curves({ trainings }) {
  const drawn = trainings.slice(0, MOST);
  const [series, setSeries] = useState(/** @type {Record<string, Series>} */ ({}));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const version = drawn.map(({ id, progress }) => `${id} ${progress}`).join();
  useEffect(() => {
    let wanted = true;
    Promise.all(drawn.map(async ({ id, network }) => [id, await read(id, network)]))
      .then((found) => wanted && setSeries(Object.fromEntries(found)))
      .catch((error) => wanted && error instanceof Problem && setProblem(error));
    return () => {
      wanted = false;
    };
  }, [version]);
  const accuracy = useMemo(() => lines(drawn, series, "accuracy"), [version, series]);
  const losses = useMemo(() => lines(drawn, series, "loss"), [version, series]);
  return html`<${ProblemNote} of=${problem} />
    ${trainings.length > MOST && html`<p class="faint">The first ${MOST} of ${trainings.length} are drawn.</p>`}
    <div class="grid">
      <${Panel} title="Accuracy"><${Chart} lines=${accuracy} x="epoch" y="accuracy" label="Accuracy by epoch" empty=${NOTHING} format=${percent} /></${Panel}>
      <${Panel} title="Loss"><${Chart} lines=${losses} x="epoch" y="loss" label="Training loss by epoch" empty=${NOTHING} format=${loss} log /></${Panel}>
    </div>`;
}

/** The series of one network: a search has those of others as well. @param {string} id @param {string} network */
const read = async (id, network) => (await get(`trainings/${id}/metrics`, { points: POINTS, prefix: `train/${network}/` })).series;

const NOTHING = "Curves appear with the first epoch.";

/**
 * @param {any[]} trainings
 * @param {Record<string, Series>} series
 * @param {string} what the last part of a series' name
 */
const lines = (trainings, series, what) =>
  trainings.map((training, colour) => {
    const { id, name, network, search_id: search } = training;
    const found = Object.entries(series[id] ?? {}).find(([called]) => called.endsWith(`/${what}`));
    return { id, name: `${name} (${search ? network : titleOf(training)})`, points: found?.[1] ?? [], colour };
  });
