// One search: where it stands and what it found, live from its first step to its last.

import { useTitle } from "../hooks.js";
import { JobHead } from "../job/head.js";
import { useJob } from "../job/hooks.js";
import { Empty, Loading, ProblemNote } from "../parts/basics.js";
import { Loaded } from "../parts/loaded.js";
import { Tabs, useTab } from "../parts/tabs.js";
import { html, useEffect } from "../view.js";

/** @type {(import("../parts/tabs.js").Tab & {name?: string, load: () => Promise<any>})[]} `name` of what its module exports */
const TABS = [
  { id: "overview", label: "Overview", name: "Overview", load: () => import("./search/overview.js") },
  { id: "losses", label: "Losses", name: "Losses", load: () => import("./search/losses.js") },
  { id: "ratings", label: "Ratings", name: "Ratings", load: () => import("./search/ratings.js") },
  { id: "frontier", label: "Frontier", load: () => import("./search/frontier.js") },
  { id: "pictures", label: "Feature maps", name: "Pictures", load: () => import("./search/pictures.js") },
  { id: "timeline", label: "Timeline", name: "Timeline", load: () => import("../job/timeline.js") },
  { id: "log", label: "Log", name: "Log", load: () => import("../job/log.js") },
  { id: "spec", label: "Spec", name: "Spec", load: () => import("../job/spec.js") },
];

/** @param {{id: string}} props */
export default function Search({ id }) {
  const live = useJob("search", id);
  const { job, problem, reload } = live;
  useTitle(job?.name ?? "Search", job);
  const shown = useTab(TABS);
  const part = /** @type {typeof TABS[number]} */ (TABS.find(({ id }) => id === shown));
  // Its files come while the search is read; where they do not, that is said by what shows them.
  useEffect(() => void part.load().catch(() => {}), [part]);
  if (!job) {
    if (problem?.status === 404) return html`<h1>Search</h1><${Empty}>There is no search of this id: it was deleted, or it belongs to another project. <a href="#/searches">See the searches.</a></${Empty}>`;
    return html`<h1>Search</h1>${problem ? html`<${ProblemNote} of=${problem} retry=${reload} />` : html`<${Loading} />`}`;
  }
  return html`<${JobHead} kind="search" live=${live} />
    <${ProblemNote} of=${problem} retry=${reload} />
    <${Tabs} tabs=${TABS} label="Parts of the search" />
    <${Loaded} key=${part.id} name=${part.name} load=${part.load} kind="search" job=${job} search=${job} following=${live.following} />`;
}
