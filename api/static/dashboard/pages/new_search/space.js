// The space: one of those that have names, with what its networks cost, or one of one's own.

import { useResource } from "../../hooks.js";
import { count } from "../../format.js";
import { html } from "../../view.js";
import { useForm, useValue } from "../../form/context.js";
import { Field } from "../../form/field.js";
import { FieldErrors, useErrors } from "../../form/errors.js";

/** @param {{schema: any}} props of the spec */
export function Space({ schema }) {
  const { data } = useResource("spaces");
  const { resolved } = useForm();
  const { value, set } = useValue(["space"]);
  const errors = useErrors(["space"], false);
  const named = data?.items ?? [];
  const known = named.find((/** @type {any} */ space) => space.name === value);
  const own = value !== undefined && value !== null && !known;
  const write = (/** @type {any} */ event) => {
    const chosen = event.target.value;
    set(chosen === "" ? undefined : chosen === "own" ? (known?.space ?? resolved?.space ?? named[0]?.space) : chosen);
  };
  return html`<div class="field">
    <label for="space-choice">Which space</label>
    <select id="space-choice" value=${own ? "own" : (value ?? "")} onChange=${write}>
      <option value="">Default: ${resolved?.space?.name ?? "what suits the images"}</option>
      ${named.map((/** @type {any} */ space) => html`<option key=${space.name} value=${space.name}>${space.name} · ${count(Number(space.networks))} networks · ${count(space.flops[0])} to ${count(space.flops[1])} FLOPs</option>`)}
      <option value="own">One of my own, beginning with this one</option>
    </select>
    <p class="help">The layers and widths that a network may be made of. The default goes by the size of your images and the blocks of the teacher.</p>
    ${!own && html`<${FieldErrors} errors=${errors} />`}
    ${own && html`<${Field} schema=${schema.properties.space} place=${["space"]} label="Space of my own" help="Begin with a named one and change it: blocks, the cells of each, and the ops that layers may be." />`}
  </div>`;
}
