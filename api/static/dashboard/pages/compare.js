// Two to eight searches side by side: how they differ, what each has cost and found.

import { isId } from "../form/chosen.js";
import { useEach, useTitle } from "../hooks.js";
import { useChanges } from "../live.js";
import { Empty, Loading, Panel, ProblemNote } from "../parts/basics.js";
import { Explained } from "../parts/explained.js";
import { ask, href, usePlace } from "../router.js";
import { html, useState } from "../view.js";
import { Facts } from "./compare/facts.js";
import { Frontiers } from "./compare/frontiers.js";
import { Given } from "./compare/given.js";
import { Losses } from "./compare/losses.js";
import { GIVEN, rows } from "./compare/specs.js";
import { SideBySide } from "./compare/table.js";
import { Verdict } from "./compare/verdict.js";
import { MOST_COMPARED } from "./searches/compared.js";

export default function Compare() {
  useTitle("Compare searches");
  const ids = [...new Set(usePlace().query.getAll("searches"))].filter(isId);
  // Those that are compared now are ticked there.
  const others = href(["searches"], { pick: ids });
  return html`<div class="head"><h1>Compare searches</h1><div class="actions"><a class="button" href=${others}>Choose others</a></div></div>
    ${ids.length < 2 || ids.length > MOST_COMPARED
      ? html`<${Empty}>Two to ${MOST_COMPARED} searches can be set side by side. <a href=${others}>Select them in the list</a>, then choose “Compare”.</${Empty}>`
      : html`<${Compared} key=${ids.join()} ids=${ids} />`}`;
}

/** @param {{ids: string[]}} props */
function Compared({ ids }) {
  const [live, setLive] = useState(0);
  const { found, loading, reload } = useEach(ids.map((id) => ({ path: `searches/${encodeURIComponent(id)}` })), live);
  const searches = found.map(({ data }) => data).filter(Boolean);
  const moves = searches.some(({ state }) => ["queued", "running"].includes(state));
  useChanges(moves ? ["search"] : [], () => setLive((/** @type {number} */ count) => count + 1));
  if (loading) return html`<${Loading} what="Reading the searches" />`;
  return html`${found.map(({ problem }, place) => problem && html`<${Missing} key=${ids[place]} ids=${ids} place=${place} problem=${problem} retry=${reload} />`)}
    ${searches.length > 0 && html`
      <${Panel} title="What came of them"><${Verdict} searches=${searches} /><${Facts} searches=${searches} /><${Explained} title="What winner and control mean" of=${["winner", "control"]} /></${Panel}>
      <${Frontiers} searches=${searches} />
      <${Losses} searches=${searches} live=${live} />
      <${Specs} searches=${searches} />`}`;
}

/** @param {{ids: string[], place: number, problem: any, retry: () => void}} props */
const Missing = ({ ids, place, problem, retry }) => html`<div>
  <${ProblemNote} of=${problem} retry=${retry} />
  <button type="button" onClick=${() => ask({ searches: ids.filter((_, other) => other !== place) })}>Compare without it</button>
</div>`;

/** @param {{searches: any[]}} props */
function Specs({ searches }) {
  const all = usePlace().query.has("all");
  const found = rows(searches.map((search) => search.spec));
  const shown = all ? found : found.filter((row) => row.differs);
  const lines = shown.map(({ field, values, differs }) => ({ id: field, label: html`<code class=${differs && all ? "differs" : ""}>${field}</code>`, cells: field === GIVEN ? searches.map(({ spec }) => (spec.teacher.given ? html`<${Given} of=${spec.teacher.given} />` : "–")) : values }));
  return html`<${Panel} title=${all ? "What they were asked to do" : "How they differ in what they were asked to do"}
    actions=${html`<label class="inline"><input type="checkbox" checked=${all} onChange=${() => ask({ all: all ? null : "1" })} /> What is the same too</label>`}>
    ${lines.length
      ? html`<${SideBySide} caption="Specs" searches=${searches} lines=${lines} />`
      : html`<${Empty}>They were asked to do the same, in every field.</${Empty}>`}
  </${Panel}>`;
}
