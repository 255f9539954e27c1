// What the check has found: what to change, what to look at, how large the pictures are.

import { exact } from "../../format.js";
import { useResource } from "../../hooks.js";
import { Empty, Facts, Loading, Panel, ProblemNote } from "../../parts/basics.js";
import { html } from "../../view.js";

const KINDS = { error: ["To change", "note-bad"], warning: ["To look at", "note-warn"], note: ["Good to know", ""] };

/** @param {{path: string, kind: string}} props */
export function Report({ path, kind }) {
  const { data: report, problem, loading } = useResource(kind === "builtin" ? null : `${path}/report`);
  if (kind === "builtin") return null;
  if (problem && [404, 409].includes(problem.status)) return html`<${Panel} title="Check"><${Empty}>${problem.message}</${Empty}></${Panel}>`;
  if (loading || !report) return html`<${Panel} title="Check"><${ProblemNote} of=${problem} />${loading && html`<${Loading} />`}</${Panel}>`;
  return html`<${Panel} title="Check">
    ${report.findings.length ? report.findings.map((/** @type {any} */ finding) => html`<${Finding} key=${finding.code} of=${finding} />`) : html`<p>No problems found.</p>`}
    <${Facts} items=${[["Formats", counted(report.formats)], ["Colours", counted(report.modes)], ["Pictures", counted(report.splits)]]} />
    ${report.sizes && html`<${Sizes} of=${report.sizes} />`}
  </${Panel}>`;
}

/** @param {Record<string, number>} counts */
const counted = (counts) => Object.entries(counts).map(([name, count]) => `${exact(count)} ${name}`).join(", ") || "–";

/** @param {{of: {level: "error" | "warning" | "note", count: number, names: string[], text: string}}} props */
function Finding({ of: { level, count, names, text } }) {
  const [said, look] = KINDS[level];
  return html`<div class="note ${look}"><strong>${said}:</strong> ${text}
    ${names.length > 0 && html`<details><summary>${exact(count)} of them${count > names.length ? ", such as" : ""}</summary><ul>${names.map((name) => html`<li><code>${name}</code></li>`)}</ul></details>`}
  </div>`;
}

/** Sides of the pictures, in bins. @param {{of: any}} props */
function Sizes({ of: { smallest, median, largest, histogram } }) {
  const most = Math.max(...histogram.map((/** @type {any} */ bin) => bin.images));
  return html`<h3>Shorter sides</h3>
    <p class="faint">From ${exact(smallest)} to ${exact(largest)} pixels, half of them at least ${exact(median)}.</p>
    <table class="bars"><caption class="unseen">Pictures by their shorter side</caption><tbody>
      ${histogram.map((/** @type {any} */ bin) => html`<tr key=${bin.start}><th scope="row" class="number">${exact(bin.start)}–${exact(bin.end)}</th>
        <td><span class="amount" style=${{ width: `${(100 * bin.images) / most}%` }}></span></td><td class="number">${exact(bin.images)}</td></tr>`)}
    </tbody></table>`;
}
