// Which fields of the recipe mattered for being among the best trials.

import { percent } from "../../format.js";
import { useResource } from "../../hooks.js";
import { Empty, Loading, ProblemNote } from "../../parts/basics.js";
import { html } from "../../view.js";

/** Complete trials from which on there is something to say, as the service has it. */
const FEWEST = 10;

/** @param {{id: string, complete: number}} props `complete`: so many trials are */
export function Importance({ id, complete }) {
  const { data, problem, loading } = useResource(complete < FEWEST ? null : `tunings/${id}/importance`);
  if (complete < FEWEST) return html`<${Empty}>It can be told from ten complete trials on; there are ${complete}.</${Empty}>`;
  if (problem?.status === 409) return html`<${Empty}>${problem.message}</${Empty}>`;
  if (problem) return html`<${ProblemNote} of=${problem} />`;
  if (loading) return html`<${Loading} />`;
  const ranked = Object.entries(/** @type {Record<string, number>} */ (data.importance)).sort(([, one], [, other]) => other - one);
  return html`<table class="bars"><caption class="unseen">Importance of each field, of ${data.trials} complete trials</caption><tbody>
      ${ranked.map(([field, share]) => html`<tr key=${field}><th scope="row">${field}</th>
        <td><span class="amount" style=${{ width: percent(share) }}></span></td><td class="number">${percent(share, 0)}</td></tr>`)}
    </tbody></table>
    <p class="faint">How much each mattered for being among the best tenth of ${data.trials} trials (PED-ANOVA).</p>`;
}
