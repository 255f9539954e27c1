// A new tuning: many short trainings of a network, each by another recipe; what is tried, how often, and what ends a trial early.

import { NewJob } from "../form/page.js";
import { html } from "../view.js";
import { given, LABELS, lacks, RECIPE_GROUPS } from "./new_training/parts.js";
import { TuningEstimate } from "./new_tuning/estimate.js";
import { First } from "./new_tuning/first.js";

/** @type {import("../form/page.js").JobForm} */
const TUNING = {
  kind: "tunings",
  one: "tuning",
  title: "New tuning",
  intro: "Look for the recipe by which a network learns your images best: many short trainings, each by other numbers. Images that are held out decide, never the test images.",
  lacks,
  labels: LABELS,
  given,
  First,
  groups: [
    ...RECIPE_GROUPS.map(([title, about, inside]) => /** @type {[string, string, any]} */ ([title, title === "Steps" ? "the same in all trials, unless it is tried" : about, inside])),
    ["Other", "whether it goes before others, recipe, GPUs, images that decide, seed", { fields: ["priority", "recipe", "images", "devices", "seed", "int8_loss"] }],
  ],
  Estimate: TuningEstimate,
};

export default () => html`<${NewJob} of=${TUNING} />`;
