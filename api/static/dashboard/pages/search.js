// One search: where it stands and what it found, live from its first step to its last.

import { useTitle } from "../hooks.js";
import { JobHead } from "../job/head.js";
import { useJob } from "../job/hooks.js";
import { Log } from "../job/log.js";
import { Spec } from "../job/spec.js";
import { Timeline } from "../job/timeline.js";
import { Empty, Loading, ProblemNote } from "../parts/basics.js";
import { Tabs, useTab } from "../parts/tabs.js";
import { html } from "../view.js";
import Frontier from "./search/frontier.js";
import { Losses } from "./search/losses.js";
import { Overview } from "./search/overview.js";
import { Pictures } from "./search/pictures.js";
import { Ratings } from "./search/ratings.js";

const TABS = [
  { id: "overview", label: "Overview" },
  { id: "losses", label: "Losses" },
  { id: "ratings", label: "Ratings" },
  { id: "frontier", label: "Frontier" },
  { id: "pictures", label: "Feature maps" },
  { id: "timeline", label: "Timeline" },
  { id: "log", label: "Log" },
  { id: "spec", label: "Spec" },
];

/** @param {{id: string}} props */
export default function Search({ id }) {
  const live = useJob("search", id);
  const { job, problem, reload } = live;
  useTitle(job?.name ?? "Search", job);
  if (!job) {
    if (problem?.status === 404) return html`<h1>Search</h1><${Empty}>There is no search of this id: it was deleted, or it belongs to another project. <a href="#/searches">See the searches.</a></${Empty}>`;
    return html`<h1>Search</h1>${problem ? html`<${ProblemNote} of=${problem} retry=${reload} />` : html`<${Loading} />`}`;
  }
  return html`<${JobHead} kind="search" live=${live} />
    <${ProblemNote} of=${problem} retry=${reload} />
    <${Tabs} tabs=${TABS} label="Parts of the search" />
    <${Shown} live=${live} />`;
}

/** @param {{live: ReturnType<typeof useJob>}} props */
function Shown({ live: { job, following } }) {
  switch (useTab(TABS)) {
    case "losses":
      return html`<${Losses} search=${job} following=${following} />`;
    case "ratings":
      return html`<${Ratings} search=${job} />`;
    case "frontier":
      return html`<${Frontier} search=${job} />`;
    case "pictures":
      return html`<${Pictures} search=${job} />`;
    case "timeline":
      return html`<${Timeline} kind="search" job=${job} following=${following} />`;
    case "log":
      return html`<${Log} job=${job} following=${following} />`;
    case "spec":
      return html`<${Spec} kind="search" job=${job} />`;
    default:
      return html`<${Overview} search=${job} />`;
  }
}
