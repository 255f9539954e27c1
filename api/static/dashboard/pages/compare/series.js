// What series are called in words.

/** @type {Record<string, string>} */
const VALUES = { accuracy: "accuracy", best: "best accuracy so far", loss: "training loss", held_out_loss: "loss on held-out images" };

/** "Winner: accuracy", "Block 1, cell 2: distillation loss". @param {string} series such as `train/winner/accuracy` */
export function spoken(series) {
  const [phase, of, value] = series.split("/");
  const cell = /^b(\d+)c(\d+)$/.exec(of ?? "");
  if (phase === "distill" && cell && value === "loss") return `Block ${cell[1]}, cell ${cell[2]}: distillation loss`;
  if (phase === "train" && VALUES[value]) return `${of[0].toUpperCase()}${of.slice(1)}: ${VALUES[value]}`;
  return series;
}
