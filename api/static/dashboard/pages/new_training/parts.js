// What new trainings and new tunings have in common: what they lack at first, what the address may ask for, and the groups of a recipe's numbers.

/** @param {any} spec @returns {import("../../form/context.js").FieldError[]} */
export function lacks(spec) {
  const found = [];
  if (!spec.architecture && typeof spec.start !== "object") found.push({ pointer: "#/architecture", detail: "Choose the network to train.", meant: [] });
  if (spec.start && typeof spec.start === "object" && !spec.start.training) found.push({ pointer: "#/start/training", detail: "Choose the training to begin with.", meant: [] });
  if (!spec.dataset) found.push({ pointer: "#/dataset", detail: "Choose the images to learn from.", meant: [] });
  return found;
}

/** What fields are called that have other names in the API. */
export const LABELS = {
  "#/architecture": "Network",
  "#/start": "Begin with",
  "#/start/training": "Training to begin with",
  "#/search": "What is tried",
  "#/pruner": "End trials early",
};

/** @param {URLSearchParams} query */
export function given(query) {
  const single = ["architecture", "dataset", "recipe"].flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : []));
  const training = query.get("training");
  return { ...Object.fromEntries(single), ...(training ? { start: { training } } : {}) };
}

/** @type {[string, string, import("../../form/group.js").Inside][]} */
export const RECIPE_GROUPS = [
  ["Steps", "how long, how fast, in which batches", { first: ["epochs", "batch_size", "learning_rate"], fields: [ "warmup_epochs", "optimizer", "schedule", "sampling", "early_stopping", "backbone_learning_rate", "head_epochs"] }],
  ["Against learning by heart", "what keeps it from fitting the training images alone", { fields: ["weight_decay", "label_smoothing", "dropout", "drop_path", "ema_decay", "clip_grad"] }],
  ["Changed images", "how training images are varied", { fields: ["augment", "flip", "crop_area", "repeats", "autoaugment", "randaugment", "randaugment_layers", "color_jitter", "random_erasing", "mixup", "cutmix", "mix_probability"] }],
  ["Learning from a teacher", "learn from a teacher's answers beside the labels", { fields: ["distill"] }],
  ["Pictures", "their size, and how they become squares", { fields: ["input_size", "resize", "background"] }],
];
