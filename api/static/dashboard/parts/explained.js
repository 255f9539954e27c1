// What words and signs mean, behind a line below what has them.

import { html } from "../view.js";

/** What a network is to its search. @type {Record<string, string>} */
export const ROLES = {
  winner: "the best network of its search within the budget",
  control: "a random network of the winner’s cost, trained alike: what the search was worth is the difference",
  selected: "selected from the ratings of its search under another budget",
  reference: "a standard network that its search has trained to compare with",
  given: "sent, or a published one",
  finalist: "one of the best by predicted loss, trained for a short time; the winner is the best of them",
};

/** @type {Record<string, [string, string]>} by what is asked for: the sign as it shows, and its meaning */
const SIGNS = {
  cell: [
    "b1c2",
    "block 1, cell 2. A network is a row of blocks, each of which learns what the teacher’s block in its place computes. A cell is one size of a block: so many layers, so many channels. The network takes one cell of each.",
  ],
  dashed: ["dashed border", "another op than the winner has in that place, or one where the winner has none"],
};

/** Kinds of ops by how their names begin; the first that fits. @type {[RegExp, string, string][]} */
const OPS = [
  [/^mb\d+_\d+x\d+$/, "mb6_3x3, short 6·3×3", "an inverted residual (MBConv): it makes 6 channels of each, filters them with kernels of 3×3 pixels, and makes them fewer again. More channels and larger kernels cost more."],
  [/^fused\d/, "fused4_3x3", "the same with one full convolution of 3×3 pixels that makes 4 channels of each"],
  [/^(ib|extradw|convnext|ffn)\d/, "ib4_3x3", "a layer of MobileNetV4 (ib, extradw, convnext, ffn): it makes 4 channels of each; kernels of 3×3 pixels, where there are some, filter every channel by itself"],
  [/^separable/, "separable_3x3", "a kernel of 3×3 pixels for every channel by itself, then one that mixes the channels"],
  [/^conv_/, "conv_3x3", "a convolution of 3×3 pixels over all channels"],
  [/^skip$/, "skip", "passes on what arrives, and costs nothing"],
];

/** Of those ops that there are; what a space has named itself has no more than its name. @param {string[]} names @returns {[string, string][]} */
const opsOf = (names) =>
  OPS.filter(([kind]) => names.some((name) => kind.test(name))).map(([, sign, meaning]) => [sign, meaning]);

/**
 * @param {object} props
 * @param {string} [props.title]
 * @param {string[]} [props.of] roles and signs
 * @param {string[]} [props.ops] names of ops that show
 */
export function Explained({ title = "What these mean", of = [], ops = [] }) {
  const terms = [...of.map((name) => /** @type {[string, string]} */ (ROLES[name] ? [name, ROLES[name]] : SIGNS[name])), ...opsOf(ops)];
  if (!terms.length) return null;
  return html`<details class="explained"><summary>${title}</summary>
    <dl>${terms.map(([sign, meaning]) => html`<div key=${sign}><dt>${sign}</dt><dd>${meaning}</dd></div>`)}</dl>
  </details>`;
}
