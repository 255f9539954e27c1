// One training: how it goes, what it reached, and its files.

import { useTitle } from "../hooks.js";
import { JobHead } from "../job/head.js";
import { useJob } from "../job/hooks.js";
import { Log } from "../job/log.js";
import { Spec } from "../job/spec.js";
import { Timeline } from "../job/timeline.js";
import { Empty, Loading, ProblemNote } from "../parts/basics.js";
import { Tabs, useTab } from "../parts/tabs.js";
import { html } from "../view.js";
import { Overview } from "./training/overview.js";

const ALONE = [
  { id: "overview", label: "Overview" },
  { id: "timeline", label: "Timeline" },
  { id: "log", label: "Log" },
  { id: "spec", label: "Spec" },
];
/** What a search trains is asked for by the search. */
const OF_SEARCH = ALONE.filter(({ id }) => id !== "spec");

/** @param {{id: string}} props */
export default function Training({ id }) {
  const live = useJob("training", id);
  const { job, problem, reload } = live;
  useTitle(job?.name ?? "Training", job);
  const tabs = job?.search_id ? OF_SEARCH : ALONE;
  const tab = useTab(tabs);
  if (!job) {
    if (problem?.status === 404) return html`<h1>Training</h1><${Empty}>There is no training of this id: it was deleted, or it belongs to another project. <a href="#/trainings">See the trainings.</a></${Empty}>`;
    return html`<h1>Training</h1>${problem ? html`<${ProblemNote} of=${problem} retry=${reload} />` : html`<${Loading} />`}`;
  }
  return html`<${JobHead} kind="training" live=${live} />
    <${ProblemNote} of=${problem} retry=${reload} />
    <${Tabs} tabs=${tabs} label="Parts of the training" />
    ${tab === "overview" && html`<${Overview} training=${job} following=${live.following} />`}
    ${tab === "timeline" && html`<${Timeline} kind="training" job=${job} following=${live.following} />`}
    ${tab === "log" && html`<${Log} job=${job} following=${live.following} />`}
    ${tab === "spec" && html`<${Spec} kind="training" job=${job} />`}`;
}
