// A new training: a network, images, what it begins with and by which recipe; beside it what it would take.

import { NewJob } from "../form/page.js";
import { html } from "../view.js";
import { TrainingEstimate } from "./new_training/estimate.js";
import { First } from "./new_training/first.js";
import { given, LABELS, lacks, RECIPE_GROUPS } from "./new_training/parts.js";

/** @type {import("../form/page.js").JobForm} */
const TRAINING = {
  kind: "trainings",
  one: "training",
  title: "New training",
  intro: "Train a network again: longer, by another recipe, or on other images. Choose the network and the images; everything else has a default that suits them.",
  lacks,
  labels: LABELS,
  given,
  First,
  groups: [...RECIPE_GROUPS, ["Other", "whether it goes before others, GPUs, repeatable by its seed, how exact the 8-bit file has to be", { fields: ["priority", "devices", "seed", "int8_loss"] }]],
  Estimate: TrainingEstimate,
};

export default () => html`<${NewJob} of=${TRAINING} />`;
