// Which of the winners is better, and whether by more than chance.

import { percent } from "../../format.js";
import { html } from "../../view.js";

/** @param {any} search */
const winner = (search) => search.architectures.find((/** @type {any} */ one) => one.role === "winner");

/** @param {number} share */
const points = (share) => (100 * share).toFixed(share < 0.001 ? 2 : 1);

/** @param {number} share */
const signed = (share) => `${share > 0 ? "+" : ""}${(100 * share).toFixed(1)}`;

/**
 * The 95% interval of a difference of two shares, from those of both: Newcombe's, Statistics in Medicine 17, 1998, method 10.
 * @param {any} one @param {any} other as `test` of a network is
 * @returns {[number, number]}
 */
function apart(one, other) {
  const [low, high] = one.interval;
  const [lower, higher] = other.interval;
  const difference = one.accuracy - other.accuracy;
  const down = Math.hypot(one.accuracy - low, higher - other.accuracy);
  return [difference - down, difference + Math.hypot(high - one.accuracy, other.accuracy - lower)];
}

/** The best winner beside each of the others. @param {{searches: any[]}} props */
export function Verdict({ searches }) {
  const judged = searches.filter((search) => winner(search)?.test);
  if (judged.length < 2) return null;
  const images = new Set(judged.map(({ spec }) => `${spec.dataset.name}@${spec.dataset.version}`));
  if (images.size > 1) return html`<p class="compared">Their winners were judged on different images: the accuracies cannot be held against one another.</p>`;
  const [best, ...others] = judged.toSorted((one, other) => winner(other).test.accuracy - winner(one).test.accuracy || winner(one).flops - winner(other).flops);
  return html`<ul class="compared">${others.map((other) => html`<li key=${other.id}><${Beside} best=${best} other=${other} /></li>`)}</ul>`;
}

/** @param {{best: any, other: any}} props */
function Beside({ best, other }) {
  const [one, two] = [winner(best), winner(other)];
  const [low, high] = apart(one.test, two.test);
  const difference = one.test.accuracy - two.test.accuracy;
  const names = html`The winner of <bdi>${best.name}</bdi>`;
  const interval = `95% interval ${signed(low)} to ${signed(high)} points`;
  const said = difference
    ? html`${names} is ${points(difference)} points better than that of <bdi>${other.name}</bdi>, ${low > 0 ? html`<strong>by more than chance</strong> (${interval})` : html`<strong>perhaps by chance</strong>: ${one.test.images} test images do not tell them apart (${interval})`}.`
    : html`${names} and that of <bdi>${other.name}</bdi> are equally good, as far as ${one.test.images} test images tell (${interval}).`;
  return html`${said} ${cheaper(one, two)} ${longer(best, other)}`;
}

/** @param {any} one @param {any} two winners, as the sentence names them */
function cheaper(one, two) {
  if (one.flops === two.flops) return "They cost the same FLOPs.";
  const share = Math.abs(one.flops - two.flops) / Math.max(one.flops, two.flops);
  return `The ${one.flops < two.flops ? "first" : "second"} takes ${share < 0.01 ? "less than 1%" : percent(share, 0)} fewer FLOPs.`;
}

/** Where one was trained for longer, that may be why. @param {any} best @param {any} other */
function longer(best, other) {
  const [one, two] = [best.spec.retrain.epochs, other.spec.retrain.epochs];
  return one === two ? null : `They were not trained alike: for ${one} and ${two} epochs.`;
}
