// What can be done with a network as a whole.

import { useMay } from "../../caller.js";
import { patch, Problem, remove } from "../../client.js";
import { ProblemNote } from "../../parts/basics.js";
import { Confirmed, Dialog } from "../../parts/dialog.js";
import { notify } from "../../parts/notices.js";
import { go, href } from "../../router.js";
import { html, useState } from "../../view.js";
import { PUBLISHED, title } from "./called.js";

/** A standard network is built by timm from its name: what it is made of is not known here. @param {any} network */
export const isStandard = (network) => network.role === "reference" || !network.architecture.blocks;

/** @param {{network: any, reload: () => Promise<void>}} props */
export function Actions({ network, reload }) {
  const mayRun = useMay("run");
  const [renaming, setRenaming] = useState(false);
  if (!mayRun) return null;
  const drop = async () => {
    await remove(`architectures/${network.id}`);
    notify(`${title(network)} was deleted.`);
    go("#/networks");
  };
  const given = network.role === "given";
  return html`<div class="actions">
    ${!isStandard(network) && html`<a class="button main" href=${href(["trainings", "new"], { architecture: network.id })}>Train it</a>`}
    ${!isStandard(network) && html`<a class="button" href=${href(["tunings", "new"], { architecture: network.id })}>Find a recipe</a>`}
    ${network.role !== "reference" && !PUBLISHED.includes(network.name) && html`<button type="button" onClick=${() => setRenaming(true)}>Rename</button>`}
    ${given && html`<${Confirmed} label="Delete" bad=${true} act=${drop} question="Delete ${title(network)}? Trainings and tunings of it keep what they have found." />`}
    ${renaming && html`<${Rename} network=${network} done=${reload} close=${() => setRenaming(false)} />`}
  </div>`;
}

/** @param {{network: any, done: () => Promise<void>, close: () => void}} props */
function Rename({ network, done, close }) {
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const submit = async (/** @type {any} */ event) => {
    event.preventDefault();
    const name = String(new FormData(event.target).get("name")).trim();
    try {
      await patch(`architectures/${network.id}`, { name: name || null });
      await done();
      close();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    }
  };
  return html`<${Dialog} title="Rename" onClose=${close}>
    <form onSubmit=${submit} class="rows"><label>Name <input name="name" defaultValue=${network.name ?? ""} maxlength="200" placeholder="none" /></label>
      <${ProblemNote} of=${problem} /><div class="actions"><button class="main">Rename</button></div></form>
  </${Dialog}>`;
}
