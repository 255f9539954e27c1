// What each trial reached, the best so far, and how the trials got there.

import { percent } from "../../format.js";
import { Chart } from "../../parts/chart.js";
import { html, useMemo } from "../../view.js";

/** @typedef {import("./data.js").Trial} Trial */

const NOTHING_YET = "Accuracies appear with the first epoch of the first trial.";

/** @param {{trials: Trial[]}} props */
export function History({ trials }) {
  const lines = useMemo(() => {
    const reached = trials.filter(({ value }) => value !== null);
    let most = 0;
    const best = reached.map(({ number, value }) => /** @type {[number, number]} */ ([number, (most = Math.max(most, Number(value)))]));
    const each = reached.map(({ number, value }) => /** @type {[number, number]} */ ([number, Number(value)]));
    return [{ name: "best so far", points: best }, { name: "trial", points: each, dash: [2, 4] }];
  }, [trials]);
  return html`<${Chart} lines=${lines} x="trial" y="accuracy" label="Accuracy by trial, and the best so far" empty=${NOTHING_YET} format=${percent} />`;
}

/** @param {{trials: Trial[]}} props */
export function Curves({ trials }) {
  const lines = useMemo(
    () => trials.filter(({ curve }) => curve.length).map(({ number, curve }) => ({ name: `trial ${number}`, points: curve })),
    [trials],
  );
  return html`<${Chart} lines=${lines} x="epoch" y="accuracy" label="Accuracy of each trial by epoch" empty=${NOTHING_YET} format=${percent} />`;
}
