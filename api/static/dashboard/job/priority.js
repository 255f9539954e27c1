// Which jobs go before others: the priority of one as a mark, where it is not the usual one, and the way to change it while the job goes on.

import { useCaller } from "../caller.js";
import { patch } from "../client.js";
import { Act, Dialog } from "../parts/dialog.js";
import { html, useState } from "../view.js";

/** From the lowest on. */
export const PRIORITIES = ["low", "normal", "high"];

const USUAL = "normal";

/** @type {Record<string, string>} */
const ARROWS = { low: "↓", high: "↑" };

/** Those that a key may give to its jobs. @param {string | null | undefined} most of its limits */
export const upTo = (most) => (most ? PRIORITIES.slice(0, PRIORITIES.indexOf(most) + 1) : PRIORITIES);

/** Where `pick` is given, a button that picks it. @param {{of: string, pick?: (priority: string) => void}} props */
export function PriorityMark({ of, pick }) {
  if (of === USUAL) return null;
  const said = html`<span aria-hidden="true">${ARROWS[of]}</span> ${of} priority`;
  if (!pick) return html`<span class="label">${said}</span>`;
  return html`<button type="button" class="label" title="Show only what has ${of} priority" onClick=${() => pick(of)}>${said}</button>`;
}

/** @param {{path: string, job: any, reload: () => Promise<void>}} props */
export function Priority({ path, job, reload }) {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  return html`<button type="button" onClick=${() => setOpen(true)}>Priority</button>
    ${open && html`<${Dialog} title="Priority" onClose=${close}><${Form} path=${path} job=${job} reload=${reload} done=${close} /></${Dialog}>`}`;
}

/** @param {{path: string, job: any, reload: () => Promise<void>, done: () => void}} props */
function Form({ path, job, reload, done }) {
  const most = useCaller()?.limits.priority;
  const [chosen, setChosen] = useState(job.priority);
  const save = async () => {
    await patch(path, { priority: chosen });
    await reload();
  };
  return html`<p>Jobs of a higher priority go before all of a lower one, whoever asked for them. What is computed is the same.</p>
    <fieldset class="plain"><legend class="unseen">Priority</legend>
      ${PRIORITIES.map((one) => html`<label class="inline" key=${one}>
        <input type="radio" name="priority" value=${one} checked=${chosen === one} disabled=${!upTo(most).includes(one)} onChange=${() => setChosen(one)} /> ${one}
      </label> `)}
    </fieldset>
    ${most && most !== "high" && html`<p class="faint">Your key may give ${most} at most.</p>`}
    <${Act} verb="Save" main disabled=${chosen === job.priority} act=${save} done=${done} />`;
}
