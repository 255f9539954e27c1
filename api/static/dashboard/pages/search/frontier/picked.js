// The points that were picked, side by side, and what to do with all of them.

import { post } from "../../../client.js";
import { loss as lossText } from "../../../format.js";
import { useMay } from "../../../caller.js";
import { Loading, Panel, ProblemNote } from "../../../parts/basics.js";
import { Confirmed } from "../../../parts/dialog.js";
import { notify } from "../../../parts/notices.js";
import { href, go } from "../../../router.js";
import { html } from "../../../view.js";
import { About, drawn } from "./chosen.js";
import { said } from "./limits.js";
import { select } from "./selecting.js";

/**
 * @param {object} props
 * @param {any} props.search
 * @param {{pick: import("./selecting.js").Pick, network: any, problem: any}[]} props.picks
 * @param {any} props.winner
 * @param {(name: string) => string} props.colour
 * @param {(text: string) => void} props.onDrop
 */
export function Picked({ search, picks, winner, colour, onDrop }) {
  const mayRun = useMay("run");
  if (!picks.length) return null;
  const keep = () => Promise.all(picks.map(async ({ pick }) => (await select(search.id, pick, { keep: true }))[pick.rank - 1].id));
  const keepAll = async () => {
    notify(`${(await keep()).length} networks are kept.`);
    go(href(["networks"], { search: search.id, role: "selected" }));
  };
  const trainAll = async () => {
    const made = await Promise.all((await keep()).map((id) => post("trainings", { architecture: id, dataset: search.dataset })));
    notify(`${made.length} trainings are queued.`);
    go(href(["trainings"], { search: search.id }));
  };
  const actions = mayRun && html`<${Confirmed} label="Keep all" question="Keep these ${picks.length} networks with the search?" act=${keepAll} />
    <${Confirmed} label="Train all" question="Keep these ${picks.length} networks and train each on ${search.dataset} by the default recipe?" act=${trainAll} />`;
  return html`<${Panel} title="Picked networks" actions=${actions}>
    <div class="grid picked">${picks.map(({ pick, network, problem }) => html`<section key=${pick.text} class="panel" aria-label=${title(pick)}>
      <header><h3>${title(pick)}</h3><div class="actions"><button type="button" class="plain" aria-label="Remove ${title(pick)}" onClick=${() => onDrop(pick.text)}>✕</button></div></header>
      <${ProblemNote} of=${problem} />
      ${network ? html`<${About} network=${drawn(network)} winner=${winner} colour=${colour} />` : !problem && html`<${Loading} what="Selecting" />`}
    </section>`)}</div>
    <p class="unseen" role="status">${picks.map(({ network }) => network && `loss ${lossText(network.loss)}`).join(", ")}</p>
  </${Panel}>`;
}

/** @param {import("./selecting.js").Pick} pick */
const title = (pick) => `${pick.rank === 1 ? "Best" : `Number ${pick.rank}`} within ${said(pick.limits)}`;
