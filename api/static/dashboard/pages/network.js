// One network: what it is made of and costs, how good it is, its files, the code that loads it, and pictures to try it on.

import { useResource, useTitle } from "../hooks.js";
import { useChanges } from "../live.js";
import { Loading, ProblemNote } from "../parts/basics.js";
import { Tabs, useTab } from "../parts/tabs.js";
import { usePlace } from "../router.js";
import { html } from "../view.js";
import { About } from "./network/about.js";
import { Actions } from "./network/actions.js";
import { Accuracy } from "./network/accuracy.js";
import { title } from "./network/called.js";
import { Code } from "./network/code.js";
import { Drawing } from "./network/drawing.js";
import { Files } from "./network/files.js";
import { Latency } from "./network/latency.js";
import { chosen, Trainings, useTraining } from "./network/trainings.js";
import { TryOut } from "./network/try_out.js";

const TABS = [
  { id: "network", label: "Network" },
  { id: "accuracy", label: "Accuracy" },
  { id: "files", label: "Files and code" },
  { id: "trainings", label: "Trainings" },
];

/** @param {{id: string}} props */
export default function Network({ id }) {
  const { data: network, problem, loading, reload } = useResource(`architectures/${id}`);
  useTitle(network ? title(network) : "Network");
  if (loading) return html`<${Loading} />`;
  if (!network) return html`<h1>Network</h1><${ProblemNote} of=${problem} retry=${reload} />`;
  return html`<${Known} network=${network} reload=${reload} />`;
}

/** @param {{network: any, reload: () => Promise<void>}} props */
function Known({ network, reload }) {
  const tab = useTab(TABS);
  const { query } = usePlace();
  const { data: search } = useResource(network.search_id && `searches/${network.search_id}`);
  const { data: made, problem, reload: again } = useResource("trainings", { architecture: network.id, limit: 100 });
  useChanges(["search", "training"], () => void Promise.all([reload(), again()]));
  const trainings = made?.items ?? [];
  const { training } = useTraining(chosen(trainings, query.get("training")));
  return html`<div class="head"><h1>${title(network)}</h1><${Actions} network=${network} reload=${reload} /></div>
    <${Tabs} tabs=${TABS} label="Parts of the network" />
    ${tab === "network" && html`<div class="grid network-parts"><${About} network=${network} search=${search} training=${training} /><${TryOut} network=${network} trainings=${trainings} /></div>
      <${Drawing} network=${network} />`}
    ${tab === "accuracy" && html`<${Accuracy} network=${network} training=${training} trainings=${trainings} />`}
    ${tab === "files" && html`<${Files} network=${network} training=${training} trainings=${trainings} /><${Code} network=${network} training=${training} /><${Latency} network=${network} />`}
    ${tab === "trainings" && html`<${ProblemNote} of=${problem} /><${Trainings} network=${network} trainings=${trainings} known=${made !== null} />`}`;
}
