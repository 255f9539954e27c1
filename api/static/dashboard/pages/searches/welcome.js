// The front page while there is no search yet: what one is, and how to begin.

import { useMay } from "../../caller.js";
import { post } from "../../client.js";
import { Act } from "../../parts/dialog.js";
import { go, href } from "../../router.js";
import { html } from "../../view.js";

/** Small enough for a laptop without a GPU: minutes. */
const EXAMPLE = {
  name: "handwritten digits",
  dataset: "digits",
  budget: { flops: 800000 },
};

async function begin() {
  const search = await post("searches", EXAMPLE);
  go(href(["searches", search.id]));
}

export function Welcome() {
  const mayRun = useMay("run");
  return html`<section class="panel welcome" aria-label="The first search">
    <h2>No searches yet</h2>
    <p>A search finds an image classifier for your own pictures that keeps within a budget: of arithmetic, of parameters, or of time on a device.</p>
    <ol>
      <li>A <b>teacher</b>, a large network that is good at images already, shows each part of the network what it should compute.</li>
      <li>Many candidates for every part learn that at once, and are rated by how well they do.</li>
      <li>Of all combinations the <b>best within your budget</b> is found exactly, then trained beside a random network of the same cost, so that you see what the search was worth.</li>
    </ol>
    ${mayRun
      ? html`<div class="actions">
          <${Act} verb="Search on the digits example" act=${begin} main />
          <a class="button" href="#/searches/new">New search</a>
          <a href="#/datasets">Upload your own pictures</a>
        </div>
        <p class="faint">The example searches on 1,797 handwritten digits that ship with the service. It takes some minutes, also without a GPU.</p>`
      : html`<p class="note">Your key may only read here. To begin a search it needs the scope <code>run</code>: ask whoever manages the keys.</p>`}
  </section>`;
}
