// Accuracy and loss of one training as it goes.

import { loss, percent } from "../../format.js";
import { useMetrics } from "../../job/metrics.js";
import { Panel, ProblemNote } from "../../parts/basics.js";
import { Chart } from "../../parts/chart.js";
import { html, useMemo } from "../../view.js";

/** @typedef {import("../../job/metrics.js").Series} Series */

/** @param {{training: any, following: import("../../job/following.js").Following}} props */
export function Curves({ training, following }) {
  // A search has the series of its other networks as well.
  const prefix = `train/${training.network}/`;
  const { series, problem, reload } = useMetrics(following, prefix);
  const accuracy = useMemo(() => lines(series, prefix, ["accuracy", "best"]), [series, prefix]);
  const losses = useMemo(() => lines(series, prefix, ["loss"]), [series, prefix]);
  const empty = training.state === "queued" ? "Curves appear when a worker has begun." : "Curves appear with the first epoch.";
  return html`<${ProblemNote} of=${problem} retry=${reload} />
    <div class="grid">
      <${Panel} title="Accuracy"><${Chart} lines=${accuracy} x="epoch" y="accuracy" label="Accuracy by epoch, and the best so far" empty=${empty} format=${percent} /></${Panel}>
      <${Panel} title="Loss"><${Chart} lines=${losses} x="epoch" y="loss" label="Training loss by epoch" empty=${empty} format=${loss} log /></${Panel}>
    </div>`;
}

/** @param {Series | null} series @param {string} prefix @param {string[]} names @returns {import("../../parts/chart.js").Line[]} */
const lines = (series, prefix, names) =>
  names.flatMap((name, colour) => {
    const points = series?.[prefix + name];
    return points ? [{ name: name === "best" ? "best so far" : name, points, colour, dash: name === "best" ? [4, 4] : undefined }] : [];
  });
