// The recipe, in words: those that there are, and what a tuning has found.

import { Chosen, useChosen } from "../../form/chosen.js";
import { fieldId, useForm, useValue } from "../../form/context.js";
import { FieldErrors, useErrors } from "../../form/errors.js";
import { Choose, listed } from "../../form/choose.js";
import { useResource } from "../../hooks.js";
import { percent } from "../../format.js";
import { html } from "../../view.js";

/** How a tuning is named in the place of a recipe. */
const OF_TUNING = "tuning:";

const tunings = listed("tunings", (tuning) => ({
  value: `${OF_TUNING}${tuning.id}`,
  label: tuning.name || tuning.id,
  about: [tuning.dataset, tuning.best && percent(tuning.best.value), tuning.state].filter(Boolean).join(" · "),
}), { sort: "-created_at" });

/** @param {{place?: import("../../form/document.js").Place}} props */
export function RecipeField({ place = ["recipe"] }) {
  const { data } = useResource("recipes");
  const { resolved } = useForm();
  const { value, set } = useValue(place);
  const errors = useErrors(place, true);
  const recipes = data?.items ?? [];
  const of = typeof value === "string" && value.startsWith(OF_TUNING);
  const tuning = useChosen("tunings", of && value.slice(OF_TUNING.length));
  const known = recipes.find((/** @type {any} */ recipe) => recipe.name === value || recipe.aliases.includes(value));
  const option = (/** @type {string} */ name, /** @type {string} */ label, /** @type {any} */ about, /** @type {boolean} */ checked, /** @type {any} */ next) =>
    html`<label key=${name} class="inline"><input type="radio" name="recipe" value=${name} checked=${checked} onChange=${() => set(next)} /><span>${label} <span class="faint">${about}</span></span></label>`;
  return html`<fieldset class="nested" id=${fieldId(place)} tabindex="-1">
    <legend>Recipe</legend>
    <div class="recipes">
      ${option("", "Default", resolved?.recipe && value === undefined ? `${resolved.recipe}, by the number of images` : "by the number of images", value === undefined, undefined)}
      ${recipes.map((/** @type {any} */ recipe) => option(recipe.name, recipe.name, recipe.about, known === recipe, recipe.name))}
      ${option("tuning", "What a tuning has found", "the best of its trials", of, OF_TUNING)}
      ${value !== undefined && !known && !of && option("other", String(value), "", true, value)}
    </div>
    ${of && html`<div class="field"><label for="${fieldId(place)}-tuning">Tuning</label>
      <${Choose} id="${fieldId(place)}-tuning" value=${value} named=${tuning?.name || undefined} ask=${tunings} placeholder="choose" onChange=${(/** @type {string} */ text) => set(text.startsWith(OF_TUNING) ? text : `${OF_TUNING}${text}`)} />
      ${tuning && html`<${Chosen} page="tunings" id=${tuning.id} name=${tuning.name || "The tuning"} />`}</div>`}
    <${FieldErrors} errors=${errors} />
    <p class="help">Each number of it can be written anew in the groups below.</p>
  </fieldset>`;
}
