// What matters most of a search: images, budget, teacher, and what to call it.

import { useResource } from "../../hooks.js";
import { count, exact } from "../../format.js";
import { Field } from "../../form/field.js";
import { useForm, useValue } from "../../form/context.js";
import { choosing, listed } from "../../form/choose.js";
import { DatasetField } from "../../form/dataset.js";
import { html } from "../../view.js";
import { Budget } from "./budget.js";

/** @param {{schema: any, estimate: import("../../form/estimate.js").Estimated}} props */
export function First({ schema, estimate }) {
  const here = schema.properties;
  return html`<${DatasetField} schema=${here.dataset} take />
    <${Budget} schema=${here.budget} answer=${estimate.answer} />
    <${Teacher} schema=${here.teacher} />
    <${Field} schema=${here.name} place=${["name"]} help="To find it again. Left empty, it is called by its dataset and teacher." />
    <${Field} schema=${here.labels} place=${["labels"]} help="Pairs of your own to find searches by, such as team: vision." />`;
}

const Models = choosing(
  listed("teachers", (teacher) => ({
    value: teacher.name,
    label: teacher.name,
    about: [`${count(teacher.params)} parameters`, teacher.pretrained ? "with weights" : "without weights", `${teacher.blocks.length} blocks`].join(" · "),
  })),
);

/** @param {{schema: any}} props */
function Teacher({ schema }) {
  const { api, resolved } = useForm();
  const { value } = useValue(["teacher", "model"]);
  const taken = resolved?.teacher;
  // While another name is refused, what is known is of the one before.
  const name = taken && (value === undefined || bare(value) === bare(taken.model)) ? taken.model : null;
  const model = schema.$ref ? api.components.schemas[schema.$ref.split("/").at(-1)].properties.model : schema.properties.model;
  return html`<${Field} schema=${model} place=${["teacher", "model"]} control=${Models}
    help="A network from timm whose blocks the candidates imitate. The default suits the size of your images.">
    <${Blocks} name=${name} of=${taken} />
  </${Field}>`;
}

/** Without the tag of its weights. @param {string} name */
const bare = (name) => name.split(".")[0];

const WEIGHTS = /** @type {Record<string, string>} */ ({
  pretrained: "It keeps the weights that timm has of it.",
  finetune: "It begins with timm's weights and is trained further on your images.",
  train: "It is trained on your images first.",
});

/** The blocks that a teacher is cut into. @param {{name: string | null, of: any}} props */
function Blocks({ name, of }) {
  const { data } = useResource(name ? `teachers/${encodeURIComponent(bare(name))}` : null);
  if (!data) return null;
  const used = of?.model === name ? of.boundaries : null;
  const blocks = data.blocks.filter((/** @type {any} */ block) => !used || used.includes(block.module));
  return html`<p class="about">
    <strong>${data.name}</strong>, ${count(data.params)} parameters. ${WEIGHTS[of?.weights] ?? ""}
    ${" "}Blocks: ${blocks.map((/** @type {any} */ block) => html`<span class="label" key=${block.module} title="${exact(block.channels)} channels, the image ${block.reduction} times smaller">${block.module} · ${block.channels}</span>`)}
  </p>`;
}
