// When what was done, by which worker, and how it ended.

import { Panel } from "../parts/basics.js";
import { html } from "../view.js";
import { Phases } from "./phases.js";
import { Steps } from "./steps.js";

/** @param {{kind: import("./kinds.js").Kind, job: any, following: import("./following.js").Following}} props */
export function Timeline({ kind, job }) {
  return html`<${Phases} kind=${kind} job=${job} />
    <${Panel} title="Steps"><${Steps} steps=${job.steps} /></${Panel}>`;
}
