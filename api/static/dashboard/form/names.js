// What the fields of a spec are called on the page, where their own names do not read as words, and the document's words in those of the page.

const NAMES = /** @type {Record<string, string>} */ ({
  memory_mb: "Memory, MB",
  clip_grad: "Gradient clipping",
  ema_decay: "EMA decay",
  autoaugment: "AutoAugment",
  randaugment: "RandAugment",
  randaugment_layers: "RandAugment layers",
  cutmix: "CutMix",
  mix_probability: "Probability of mixing",
  min_distance: "Least distance",
  se_ratio: "SE ratio",
  int8_loss: "Accuracy lost in 8 bits, at most",
  latency_ms: "Latency, ms",
});

/** "learning_rate" as people say it. @param {string} name */
export function spoken(name) {
  if (Object.hasOwn(NAMES, name)) return NAMES[name];
  const words = name.replaceAll("_", " ").trim();
  return words ? `${words[0].toUpperCase()}${words.slice(1)}` : words;
}

/** Where the dashboard shows what a route lists. */
const PAGES = /** @type {Record<string, string>} */ ({ datasets: "Datasets", architectures: "Networks", trainings: "Trainings", searches: "Searches", tunings: "Tunings" });

/**
 * The document's words for those who do not send JSON: routes by the pages that show the same, null as what a form has in its place.
 * @param {string} text
 */
export const readable = (text) =>
  text
    .replaceAll("A row of `GET /recipes`", "One of the recipes that there are")
    .replaceAll(", which is kept as `POST /architectures` keeps it", ", which is kept among the networks")
    .replace(/(of )?(?:`GET \/(\w+)`|\bGET \/(\w+))/g, (whole, of, quoted, bare) => (Object.hasOwn(PAGES, quoted ?? bare) ? `${of ? "on" : ""} the page ${PAGES[quoted ?? bare]}`.trim() : whole))
    .replace(/(^|[\s(])null:/g, "$1none:");
