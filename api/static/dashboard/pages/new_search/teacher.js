// A teacher that there is already: that of another search, or weights that were sent.

import { choosing, listed } from "../../form/choose.js";
import { Chosen, useChosen } from "../../form/chosen.js";
import { useForm, useValue } from "../../form/context.js";
import { Field } from "../../form/field.js";
import { count } from "../../format.js";
import { html } from "../../view.js";

const sent = listed("teachers", (teacher) => ({ value: teacher.name, label: teacher.name, about: `sent · ${teacher.model} · ${count(teacher.num_classes)} classes` }), { sent: true });
const searches = listed("searches", (search) => ({ value: search.id, label: search.name, about: `search on ${search.dataset} · …${search.id.slice(-8)}` }), { state: ["running", "succeeded"] });

const Given = choosing(async (q, signal) => (await Promise.all([sent(q, signal), searches(q, signal)])).flat(), "none: by its name above");

/** @param {{schema: any}} props of the spec */
export function GivenTeacher({ schema }) {
  const { api } = useForm();
  const { properties } = api.components.schemas[schema.properties.teacher.$ref.split("/").at(-1)];
  const { value } = useValue(["teacher", "from"]);
  const search = useChosen("searches", value);
  return html`<${Field} schema=${properties.from} place=${["teacher", "from"]} control=${Given} named=${search?.name || undefined}
    help="The teacher of another search, once it is trained, or weights that were sent. It teaches as it is, or is trained further on these images where its weights are finetune.">
    ${search && html`<${Chosen} page="searches" id=${search.id} name=${search.name || "The search"} />`}
  </${Field}>`;
}
