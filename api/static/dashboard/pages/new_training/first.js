// What matters most of a training: the network, the images, what it begins with, the recipe, what to call it.

import { get } from "../../client.js";
import { choosing } from "../../form/choose.js";
import { Chosen, useChosen } from "../../form/chosen.js";
import { useForm, useValue } from "../../form/context.js";
import { DatasetField, refOf } from "../../form/dataset.js";
import { Field } from "../../form/field.js";
import { useResource } from "../../hooks.js";
import { count, percent } from "../../format.js";
import { html, useEffect, useRef } from "../../view.js";
import { meant, PUBLISHED, title } from "../network/called.js";
import { AsWinner } from "./as_winner.js";
import { RecipeField } from "./recipe.js";
import { StartField } from "./start.js";

/** @param {{schema: any}} props */
export function First({ schema }) {
  const here = schema.properties;
  return html`<${ArchitectureField} schema=${here.architecture} />
    <${DatasetField} schema=${here.dataset} help="The images to learn from: those of its search, or any others. Its classes become those of the images." />
    <${AsWinner} />
    <${StartField} />
    <${RecipeField} />
    <${Named} here=${here} />`;
}

/** @param {{here: any}} props */
export const Named = ({ here }) => html`<${Field} schema=${here.name} place=${["name"]} help="To find it again. Left empty, it gets a name that says what it is." />
  <${Field} schema=${here.labels} place=${["labels"]} help="Pairs of your own to find it by, such as team: vision." />`;

/** @param {any} network @returns {import("../../form/choose.js").Option} */
const option = (network) => ({
  value: network.id,
  label: title(network),
  about: [
    `${count(network.flops)} FLOPs`,
    `${count(network.params)} parameters`,
    network.test_accuracy !== null && percent(network.test_accuracy),
    `…${network.id.slice(-8)}`,
  ].filter(Boolean).join(" · "),
});

/** Networks that were published come with the service, whether or not they are in its list. */
const COME_WITH = PUBLISHED.map((value) => ({ value, label: value, about: "published, for ImageNet" }));

/** @param {string} q @param {AbortSignal} signal */
async function networks(q, signal) {
  const found = async (/** @type {import("../../client.js").Query} */ asked) => (await get("architectures", { limit: 30, ...asked }, signal)).items.map(option);
  const told = await found(meant(q));
  // What reads like a title may be a name that somebody gave.
  const own = told.length || !q ? told : await found({ q });
  const others = COME_WITH.filter(({ value }) => value.includes(q.toLowerCase()) && !own.some((/** @type {any} */ one) => one.label === value));
  return [...own, ...others];
}

const Networks = choosing(networks, "choose, or type an id or a name");

/** @param {{schema: any}} props */
export function ArchitectureField({ schema }) {
  const { value } = useValue(["architecture"]);
  const { value: start } = useValue(["start"]);
  const network = useChosen("architectures", value);
  useImagesOf(network);
  if (typeof value === "object" && value !== null) return html`<${Field} schema=${schema} place=${["architecture"]} />`;
  const help = typeof start === "object" && start !== null ? "That of the training that it begins with; it need not be said." : "One that a search found, one that was given, or one that was published.";
  return html`<${Field} schema=${schema} place=${["architecture"]} control=${Networks} help=${help} named=${network && title(network)}>
    ${value && html`<${About} network=${network} />`}
  </${Field}>`;
}

/** Where no images are chosen yet, those that its search found the network on are. Once for each network: they may be taken away again. @param {any} network */
function useImagesOf(network) {
  const { value, set } = useValue(["dataset"]);
  const done = useRef(/** @type {string | null} */ (null));
  const open = network?.search_id && value === undefined && done.current !== network.id;
  const { data: search } = useResource(open ? `searches/${network.search_id}` : null);
  const images = open ? search?.spec.dataset : null;
  const { data: newest } = useResource(images ? `datasets/${encodeURIComponent(images.name)}` : null);
  useEffect(() => {
    if (!images || !newest) return;
    done.current = network.id;
    set(refOf(images, newest.version));
  }, [images, newest]);
}

/** @param {{network: any}} props null of one that has no id */
function About({ network }) {
  const { resolved } = useForm();
  const made = resolved?.architecture;
  if (!network) return made ? html`<p class="about">${made.blocks?.length} blocks, made for images of ${made.input_size} pixels.</p>` : null;
  const { id, flops, params, test_accuracy: accuracy } = network;
  return html`<${Chosen} page="networks" id=${id} name=${title(network)}>: ${count(flops)} multiply-adds, ${count(params)} parameters${accuracy !== null ? `, ${percent(accuracy)} on the test images` : ""}.</${Chosen}>`;
}
