// The pictures that a search draws at its end, as images.

import { Empty, Panel } from "../../parts/basics.js";
import { Picture } from "../../parts/picture.js";
import { html } from "../../view.js";
import { meanwhile, stepOf } from "./networks.js";

/** @type {[string, string, string][]} name, title, what it shows */
const PICTURES = [
  ["features", "Feature maps", "The teacher's feature maps beside those of the winner's path in the supernet, block by block: where they are alike, the blocks have learned from it."],
  ["loss", "Losses", "Training loss of every cell, and the test accuracy of the networks in training. The tab Losses has them to walk through."],
  ["frontier", "Frontier", "Predicted loss against FLOPs: random networks, the frontier, the winner, the control. The tab Frontier has it to drag along."],
];

/** @param {{search: any}} props */
export function Pictures({ search }) {
  const drawn = stepOf(search, "pictures")?.values.drawn;
  if (!drawn) return html`<${Empty}>The pictures are drawn at the end of the search. ${meanwhile(search)}</${Empty}>`;
  return html`${PICTURES.map(([name, title, says]) => html`<${Panel} key=${name} title=${title}>
    <p class="faint">${says}</p>
    ${drawn.includes(name) ? html`<${Picture} path="searches/${search.id}/pictures/${name}" alt="${title}. ${says}" className="search-picture" lazy />` : html`<${Empty}>It could not be drawn; the log says why.</${Empty}>`}
  </${Panel}>`)}`;
}
