// One tuning: its trials as they come, which recipe is best, and which fields of it matter.

import { useOften, useTitle } from "../hooks.js";
import { JobHead } from "../job/head.js";
import { useEvents, useJob } from "../job/hooks.js";
import { Log } from "../job/log.js";
import { Spec } from "../job/spec.js";
import { Timeline } from "../job/timeline.js";
import { Empty, Loading, ProblemNote } from "../parts/basics.js";
import { Tabs, useTab } from "../parts/tabs.js";
import { html } from "../view.js";
import { useTrials } from "./tuning/data.js";
import { Overview } from "./tuning/overview.js";

const TABS = [
  { id: "overview", label: "Overview" },
  { id: "timeline", label: "Timeline" },
  { id: "log", label: "Log" },
  { id: "spec", label: "Spec" },
];

/** @param {{id: string}} props */
export default function Tuning({ id }) {
  const live = useJob("tuning", id);
  const { job, problem, reload, following } = live;
  const trials = useTrials(id);
  useEvents(following, ["step", "metric", "state"], useOften(trials.reload));
  useTitle(job?.name ?? "Tuning", job);
  const tab = useTab(TABS);
  if (!job) {
    if (problem?.status === 404) return html`<h1>Tuning</h1><${Empty}>There is no tuning of this id: it was deleted, or it belongs to another project. <a href="#/tunings">See the tunings.</a></${Empty}>`;
    return html`<h1>Tuning</h1>${problem ? html`<${ProblemNote} of=${problem} retry=${reload} />` : html`<${Loading} />`}`;
  }
  return html`<${JobHead} kind="tuning" live=${live} />
    <${ProblemNote} of=${problem ?? trials.problem} retry=${reload} />
    <${Tabs} tabs=${TABS} label="Parts of the tuning" />
    ${tab === "overview" && (trials.trials ? html`<${Overview} tuning=${job} trials=${trials.trials} />` : html`<${Loading} what="Reading the trials" />`)}
    ${tab === "timeline" && html`<${Timeline} kind="tuning" job=${job} following=${following} />`}
    ${tab === "log" && html`<${Log} job=${job} following=${following} />`}
    ${tab === "spec" && html`<${Spec} kind="tuning" job=${job} />`}`;
}
