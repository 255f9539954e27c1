// Projects: what each uses, so that what it costs can be shared out. For admins.

import { useCaller } from "../caller.js";
import { bytes, count } from "../format.js";
import { usePages, useTitle } from "../hooks.js";
import { Age, Empty, Loading, ProblemNote } from "../parts/basics.js";
import { More, Table } from "../parts/table.js";
import { href } from "../router.js";
import { html } from "../view.js";
import { ForAdmins, Ways } from "./setup/ways.js";

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { id: "name", label: "Name", cell: (project) => html`<a href=${href(["searches"], { project: project.name })}>${project.name}</a>` },
  { id: "keys", label: "Keys", number: true, cell: (project) => html`<a href=${href(["keys"], { project: project.name })}>${count(project.keys)}</a>` },
  { id: "jobs", label: "Jobs", cell: (project) => jobs(project.jobs) },
  { id: "hours", label: "Device-hours in 30 days", number: true, cell: (project) => `${count(project.device_hours)} h` },
  { id: "stored", label: "Stored", number: true, cell: (project) => bytes(project.stored_bytes) },
  { id: "made", label: "Made", number: true, cell: (project) => html`<${Age} at=${project.created_at} />` },
];

/** @param {Record<string, number>} by state */
const jobs = (by) =>
  Object.entries(by)
    .filter(([, number]) => number)
    .map(([state, number]) => `${number} ${state}`)
    .join(", ") || "none";

export default function Projects() {
  useTitle("Projects");
  const me = useCaller();
  return html`<div class="head"><h1>Projects</h1></div>
    <${Ways} />
    ${!me ? html`<${Loading} />` : me.scopes.includes("admin") ? html`<${List} />` : html`<${ForAdmins} what="projects" />`}`;
}

function List() {
  const { items, problem, loading, more, reload } = usePages("projects", { limit: 50 });
  return html`<p class="faint">A project is made with its first key; keys of one project share what they make.</p>
    <${ProblemNote} of=${problem} retry=${reload} />
    ${loading && html`<${Loading} what="Reading the projects" />`}
    ${items.length > 0 && html`<${Table} caption="Projects" columns=${COLUMNS} rows=${items} />`}
    ${!loading && !problem && !items.length && html`<${Empty}>There is no project yet.</${Empty}>`}
    <${More} more=${more} shown=${items.length} />`;
}
