// What a search comes to: how far it is, what it found and what that is worth, and what to do with it.

import { Phases } from "../../job/phases.js";
import { Panel } from "../../parts/basics.js";
import { html } from "../../view.js";
import { Beside } from "./beside.js";
import { Classes } from "./classes.js";
import { Costs } from "./costs.js";
import { Next } from "./next.js";
import { Teacher } from "./teacher.js";

/** @param {{search: any}} props */
export function Overview({ search }) {
  return html`<${Phases} kind="search" job=${search} />
    <${Warnings} of=${search.warnings} />
    <${Panel} title="The winner beside the others"><${Beside} search=${search} /></${Panel}>
    <div class="overview">
      <${Panel} title="What next"><${Next} search=${search} /></${Panel}>
      <${Panel} title="What it costs"><${Costs} search=${search} /></${Panel}>
      <${Panel} title="By class"><${Classes} search=${search} /></${Panel}>
      <${Panel} title="What it learned from"><${Teacher} search=${search} /></${Panel}>
    </div>`;
}

/** What makes the ratings tell little, or holds the search up. @param {{of: string[]}} props */
function Warnings({ of }) {
  if (!of.length) return null;
  return html`<div class="note note-warn" role="note"><strong>Worth knowing</strong><ul>${of.map((warning) => html`<li key=${warning}>${warning}</li>`)}</ul></div>`;
}
