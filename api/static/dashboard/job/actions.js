// What can be done to a job: rename it, let it go before others, cancel, resume, delete, make another like it.

import { useCaller } from "../caller.js";
import { post, remove } from "../client.js";
import { Act, Confirmed } from "../parts/dialog.js";
import { notify } from "../parts/notices.js";
import { go, href } from "../router.js";
import { html } from "../view.js";
import { FINISHED, KINDS, resumable } from "./kinds.js";
import { Priority } from "./priority.js";
import { Rename } from "./rename.js";

/** @param {{kind: import("./kinds.js").Kind, job: any, following: import("./following.js").Following}} props */
export function Actions({ kind, job, following }) {
  const caller = useCaller();
  const { path } = KINDS[kind];
  if (kind === "training" && job.search_id) return html`<span class="faint">part of <a href=${href(["searches", job.search_id])}>its search</a>, which is cancelled, resumed and deleted as a whole</span>`;
  if (!caller) return null;
  if (!caller.scopes.includes("run")) return html`<span class="faint">your key may only look</span>`;
  const then = (/** @type {string} */ verb) => async () => {
    await post(`${path}/${job.id}/${verb}`);
    await following.reload();
  };
  return html`<a class="button ${job.error?.param ? "main" : ""}" href=${href([path, "new"], { from: job.id, field: job.error?.param })}>Clone</a>
    <${Rename} path="${path}/${job.id}" job=${job} reload=${following.reload} />
    ${!FINISHED.has(job.state) && html`<${Priority} path="${path}/${job.id}" job=${job} reload=${following.reload} />`}
    ${resumable(job) && html`<${Act} verb="Resume" main=${!job.error?.param} act=${then("resume")} />`}
    ${!FINISHED.has(job.state) && html`<${Cancel} kind=${kind} job=${job} act=${then("cancel")} />`}
    ${FINISHED.has(job.state) && html`<${Delete} kind=${kind} job=${job} following=${following} />`}`;
}

/** @param {{kind: import("./kinds.js").Kind, job: any, act: () => Promise<unknown>}} props */
function Cancel({ kind, job, act }) {
  const question = `Cancel this ${kind}? What it has done so far is kept: it can be resumed.`;
  return html`<${Confirmed} label="Cancel" verb="Cancel the ${kind}" question=${question} act=${act} disabled=${job.cancel_requested} />`;
}

/** @param {{kind: import("./kinds.js").Kind, job: any, following: import("./following.js").Following}} props */
function Delete({ kind, job, following }) {
  const { path, loses } = KINDS[kind];
  const act = async () => {
    const goOn = following.pause();
    try {
      await remove(`${path}/${job.id}`);
    } catch (error) {
      goOn();
      throw error;
    }
    notify(`The ${kind} ${job.name} was deleted.`);
    go(href([path]), { replace: true });
  };
  const question = html`Delete the ${kind} “<bdi>${job.name}</bdi>” for good? With it go ${loses}. This cannot be undone.`;
  return html`<${Confirmed} label="Delete" verb="Delete the ${kind}" bad question=${question} act=${act} />`;
}
