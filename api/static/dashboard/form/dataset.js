// The dataset: those that there are, with their sizes, or the way to send one's own.

import { exact } from "../format.js";
import { useSignal } from "../signal.js";
import { sendings } from "../upload/uploads.js";
import { html, useEffect } from "../view.js";
import { choosing, listed } from "./choose.js";
import { useForm, useValue } from "./context.js";
import { Field } from "./field.js";

/** @param {any} dataset */
const size = (dataset) => `${exact(dataset.num_classes)} classes · ${exact(dataset.num_train)} images · ${dataset.image_size} px`;

const Datasets = choosing(
  listed("datasets", (dataset) => ({ value: dataset.version > 1 ? `${dataset.name}@${dataset.version}` : dataset.name, label: dataset.version > 1 ? `${dataset.name}, version ${dataset.version}` : dataset.name, about: size(dataset) }), { state: "ready" }),
  "choose or type a name",
);

/** @param {{schema: any, help?: string}} props */
export function DatasetField({ schema, help = "The images to learn from, sorted into classes." }) {
  const { resolved } = useForm();
  const { value } = useValue(["dataset"]);
  const known = value && resolved?.dataset;
  const said = html`<strong><a href="#/datasets">Send your own</a></strong>: a folder, zip or tar with a folder for each class. What is written here stays meanwhile. ${help}`;
  return html`<${Field} schema=${schema} place=${["dataset"]} label="Dataset" control=${Datasets} help=${said}>
    ${known && html`<p class="about"><strong>${known.name}</strong>, version ${known.version}: ${exact(known.num_classes)} classes (${classes(known.class_names ?? [])}), ${exact(known.num_train)} images to learn from${known.num_val ? `, ${exact(known.num_val)} to decide by` : ""}, ${exact(known.num_test)} to test on, ${known.image_size} pixels a side.</p>`}
    <${Sent} />
  </${Field}>`;
}

/** What was sent from this tab meanwhile, to be taken. */
function Sent() {
  const { value, set } = useValue(["dataset"]);
  const sent = useSignal(sendings).flatMap(({ dataset }) => (dataset && value !== dataset.name ? [dataset] : []));
  // Whoever has sent one from here and has not chosen yet has sent it for this.
  useEffect(() => {
    if (!value && sent.length) set(sent.at(-1).name);
  }, []);
  return sent.map((dataset) => html`<p key=${dataset.id}><button type="button" onClick=${() => set(dataset.name)}>Use ${dataset.name}, which you sent</button></p>`);
}

/** @param {string[]} names */
const classes = (names) => (names.length > 6 ? `${names.slice(0, 6).join(", ")} …` : names.join(", "));
