// What a job is called, and the labels that it is found by: changed by a merge patch, so that labels which others set meanwhile stay.

import { patch } from "../client.js";
import { Act, Dialog } from "../parts/dialog.js";
import { html, useState } from "../view.js";

/** @typedef {{key: string, value: string}} Label */

/** @param {{path: string, job: any, reload: () => Promise<void>}} props */
export function Rename({ path, job, reload }) {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  return html`<button type="button" onClick=${() => setOpen(true)}>Name and labels</button>
    ${open && html`<${Dialog} title="Name and labels" onClose=${close}><${Form} path=${path} job=${job} reload=${reload} done=${close} /></${Dialog}>`}`;
}

/** @param {{path: string, job: any, reload: () => Promise<void>, done: () => void}} props */
function Form({ path, job, reload, done }) {
  const [before] = useState(job.labels);
  const [name, setName] = useState(job.name);
  const [labels, setLabels] = useState(() => Object.entries(before).map(([key, value]) => ({ key, value: String(value) })));
  const save = async () => {
    await patch(path, { name, labels: changes(before, labels) });
    await reload();
  };
  return html`<label>Name <input value=${name} maxlength="200" onInput=${(/** @type {any} */ event) => setName(event.target.value)} /></label>
    <fieldset class="labels">
      <legend>Labels</legend>
      ${labels.map((/** @type {Label} */ label, /** @type {number} */ place) => html`<${Pair} label=${label} place=${place}
        set=${(/** @type {Label | null} */ changed) => setLabels(labels.flatMap((/** @type {Label} */ one) => (one !== label ? [one] : changed ? [changed] : [])))} />`)}
      <button type="button" onClick=${() => setLabels([...labels, { key: "", value: "" }])}>Add a label</button>
    </fieldset>
    <${Act} verb="Save" main disabled=${!name.trim()} act=${save} done=${done} />`;
}

/** @param {{label: Label, place: number, set: (changed: Label | null) => void}} props */
function Pair({ label, place, set }) {
  const field = (/** @type {"key" | "value"} */ part, /** @type {number} */ most) => html`<input aria-label="Label ${place + 1}, ${part}" placeholder=${part} value=${label[part]} maxlength=${most}
    onInput=${(/** @type {any} */ event) => set({ ...label, [part]: event.target.value })} />`;
  return html`<div class="label-pair">${field("key", 64)}${field("value", 256)}
    <button type="button" class="plain" aria-label="Take away label ${place + 1}" onClick=${() => set(null)}>✕</button></div>`;
}

/**
 * The labels that are other than before; null takes one away.
 * @param {Record<string, string>} before
 * @param {Label[]} labels
 */
function changes(before, labels) {
  const now = new Map(labels.filter(({ key }) => key).map(({ key, value }) => [key, value]));
  const gone = Object.keys(before).filter((key) => !now.has(key));
  return Object.fromEntries([...gone.map((key) => [key, null]), ...[...now].filter(([key, value]) => before[key] !== value)]);
}
