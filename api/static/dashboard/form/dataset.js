// The dataset: those that there are, with their sizes, or the way to send one's own.

import { exact } from "../format.js";
import { useResource } from "../hooks.js";
import { useChanges } from "../live.js";
import { href } from "../router.js";
import { useSignal } from "../signal.js";
import { sendings } from "../upload/uploads.js";
import { html, useEffect } from "../view.js";
import { choosing, listed } from "./choose.js";
import { Chosen, useChosen } from "./chosen.js";
import { useForm, useValue } from "./context.js";
import { Field } from "./field.js";

/** As a spec names it: the name alone is the newest version of that name. @param {any} dataset @param {number} [newest] version of that name */
export const refOf = ({ name, version }, newest = version) => (Math.max(version, newest) > 1 ? `${name}@${version}` : name);

/** The newest version of a dataset's name in a list. @param {any} of @param {any[]} datasets */
const newestOf = (of, datasets) => Math.max(...datasets.filter(({ name }) => name === of.name).map(({ version }) => version));

/** @param {any} dataset */
const size = (dataset) => `${exact(dataset.num_classes)} classes · ${exact(dataset.num_train)} images · ${dataset.image_size} px`;

const Datasets = choosing(
  listed("datasets", (dataset, _, all) => ({ value: refOf(dataset, newestOf(dataset, all)), label: dataset.version > 1 ? `${dataset.name}, version ${dataset.version}` : dataset.name, about: size(dataset) }), { state: "ready" }),
  "choose or type a name",
);

/** @param {{schema: any, help?: string, take?: boolean}} props `take`: where nothing is chosen yet, what is sent meanwhile is */
export function DatasetField({ schema, take = false, help = "The images to learn from, sorted into classes." }) {
  const { resolved } = useForm();
  const { value } = useValue(["dataset"]);
  const known = value && resolved?.dataset;
  const chosen = useChosen("datasets", value);
  const said = html`<strong><a href="#/datasets">Send your own</a></strong>: a folder, zip or tar with a folder for each class. What is written here stays meanwhile. ${help}`;
  return html`<${Field} schema=${schema} place=${["dataset"]} control=${Datasets} named=${chosen ? refOf(chosen) : undefined} help=${said}>
    ${chosen && html`<${Chosen} page="datasets" id=${chosen.id} name=${refOf(chosen)} />`}
    ${known && html`<p class="about"><strong>${known.name}</strong>, version ${known.version}: ${exact(known.num_classes)} classes (${classes(known.class_names ?? [])}), ${exact(known.num_train)} images to learn from${known.num_val ? `, ${exact(known.num_val)} to decide by` : ""}, ${exact(known.num_test)} to test on, ${known.image_size} pixels a side.</p>`}
    <${Sent} take=${take} />
  </${Field}>`;
}

/** What was sent from this tab meanwhile, and with `take` the last of it as soon as it can be used. @param {{take: boolean}} props */
function Sent({ take }) {
  const sent = useSignal(sendings).flatMap(({ dataset }) => (dataset ? [dataset] : []));
  return sent.map((dataset) => html`<${OneSent} key=${dataset.id} of=${dataset} take=${take && dataset === sent.at(-1)} />`);
}

/** @param {{of: any, take: boolean}} props */
function OneSent({ of, take }) {
  const { value, set } = useValue(["dataset"]);
  const { data, reload } = useResource(`datasets/${of.id}`);
  const { state } = data ?? of;
  const ref = refOf(data ?? of);
  useChanges(state === "checking" ? ["dataset"] : [], reload);
  useEffect(() => {
    if (take && state === "ready" && value === undefined) set(ref);
  }, [take, state]);
  if (value === ref || value === of.id || state === "rejected") return null;
  if (state === "ready") return html`<p><button type="button" onClick=${() => set(ref)}>Use ${ref}, which you sent</button></p>`;
  const then = take && value === undefined ? ": it is chosen here when it is ready" : "";
  return html`<p class="about">${ref}, which you sent, is being checked${then}. <a href=${href(["datasets", of.id])}>See it.</a></p>`;
}

/** @param {string[]} names */
const classes = (names) => (names.length > 6 ? `${names.slice(0, 6).join(", ")} …` : names.join(", "));
