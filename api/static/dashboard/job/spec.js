// What a job was asked for: as it was written, as a command, and with every default filled in.

import { Code } from "../parts/copy.js";
import { Empty, Panel } from "../parts/basics.js";
import { href } from "../router.js";
import { inWords } from "../request.js";
import { html } from "../view.js";
import { KINDS } from "./kinds.js";

/** @param {{kind: import("./kinds.js").Kind, job: any}} props */
export function Spec({ kind, job }) {
  if (!job.spec) return html`<${Empty}>This training is part of <a href=${href(["searches", job.search_id], { tab: "spec" })}>its search</a>, whose spec has it under <code>retrain</code>.</${Empty}>`;
  return html`<${Panel} title="As it was asked for" actions=${html`<a href=${href([KINDS[kind].path, "new"], { from: job.id })}>Clone and change it</a>`}>
      <p class="faint">Sent again, this asks for the same. What is not written here had its default.</p>
      ${Object.entries(inWords(KINDS[kind].path, job.written)).map(([label, text]) => html`<${Code} key=${label} label=${label} text=${text} />`)}
    </${Panel}>
    <${Panel} title="With every default filled in">
      <${Code} label="JSON, resolved" text=${JSON.stringify(job.spec, null, 2)} />
    </${Panel}>`;
}
