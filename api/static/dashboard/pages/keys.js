// Keys: who may call, what each may do and use. For admins.

import { useCaller } from "../caller.js";
import { remove } from "../client.js";
import { now } from "../clock.js";
import { usePages, useResource, useTitle } from "../hooks.js";
import { Age, Empty, Loading, ProblemNote, State } from "../parts/basics.js";
import { Confirmed, Dialog } from "../parts/dialog.js";
import { More, Table } from "../parts/table.js";
import { ask, usePlace } from "../router.js";
import { html, useState } from "../view.js";
import { ChangeKey, NewKey } from "./keys/form.js";
import { Use, inLine } from "./setup/limits.js";
import { Secret } from "./setup/secret.js";
import { ForAdmins, Ways } from "./setup/ways.js";

export default function Keys() {
  useTitle("Keys");
  const me = useCaller();
  return html`<div class="head"><h1>Keys</h1>
      ${me?.scopes.includes("admin") && html`<div class="actions"><button type="button" class="main" onClick=${() => ask({ new: "1" })}>New key</button></div>`}
    </div>
    <${Ways} />
    ${!me ? html`<${Loading} />` : me.scopes.includes("admin") ? html`<${List} me=${me} />` : html`<${ForAdmins} what="keys" />`}`;
}

/** @param {{me: any}} props */
function List({ me }) {
  const { query } = usePlace();
  const { items, problem, loading, more, reload } = usePages("keys", { q: query.get("q"), project: query.get("project"), limit: 50 });
  const [made, setMade] = useState(/** @type {any} */ (null));
  const chosen = items.find((key) => key.id === query.get("key"));
  const close = () => ask({ new: null, change: null, key: null });
  const changed = () => {
    close();
    reload();
  };
  return html`<${Filters} q=${query.get("q") ?? ""} project=${query.get("project") ?? ""} />
    <${ProblemNote} of=${problem} retry=${reload} />
    ${loading && html`<${Loading} what="Reading the keys" />`}
    ${items.length > 0 && html`<${Table} caption="Keys" columns=${columns(me, reload)} rows=${items} />`}
    ${!loading && !problem && !items.length && html`<${Empty}>${query.get("q") || query.get("project") ? "No key fits these filters." : "There is no key yet: on this machine none is needed. Make one for every person or program that calls from elsewhere."}</${Empty}>`}
    <${More} more=${more} shown=${items.length} />
    ${query.get("new") && html`<${NewKey} onClose=${close} made=${(/** @type {any} */ key) => { changed(); setMade(key); }} />`}
    ${chosen && (query.get("change") ? html`<${ChangeKey} of=${chosen} onClose=${close} changed=${changed} />` : html`<${Detail} of=${chosen} onClose=${close} />`)}
    ${made && html`<${Made} of=${made} onClose=${() => setMade(null)} />`}`;
}

/** @param {{q: string, project: string}} props */
const Filters = ({ q, project }) => html`<search class="filters" aria-label="Filters">
  <label>Name has <input type="search" defaultValue=${q} onChange=${(/** @type {any} */ event) => ask({ q: event.target.value.trim() })} /></label>
  <label>Project <input type="search" defaultValue=${project} onChange=${(/** @type {any} */ event) => ask({ project: event.target.value.trim() })} /></label>
</search>`;

/** @param {{of: any, onClose: () => void}} props */
const Made = ({ of: key, onClose }) => html`<${Secret} title="The key ${key.name}" label="Key" secret=${key.key} onClose=${onClose}>
  <p>Programs send it as <code>Authorization: Bearer …</code>; the command line reads it from <code>DNA_API_KEY</code>.
    ${key.project_created ? ` The project ${key.project} was made with it.` : ` It is of the project ${key.project}.`}</p>
</${Secret}>`;

/** @param {any} key */
function state(key) {
  if (key.revoked_at) return "revoked";
  return key.expires_at && Date.parse(key.expires_at) <= now() ? "expired" : "active";
}

/** @param {any} me @param {() => Promise<void>} reload @returns {import("../parts/table.js").Column[]} */
const columns = (me, reload) => [
  { id: "name", label: "Name", cell: (key) => html`<button type="button" class="link" onClick=${() => ask({ key: key.id })}>${key.name}</button>${key.id === me.id && html` <span class="label">in use here</span>`}` },
  { id: "state", label: "State", cell: (key) => html`<${State} of=${state(key)} />` },
  { id: "project", label: "Project", cell: (key) => key.project },
  { id: "scopes", label: "May", cell: (key) => key.scopes.join(", ") },
  { id: "limits", label: "At most", cell: (key) => inLine(key.limits) || html`<span class="faint">no limit</span>` },
  { id: "prefix", label: "Begins with", cell: (key) => html`<code>dna_${key.prefix}</code>` },
  { id: "used", label: "Last used", number: true, cell: (key) => html`<${Age} at=${key.last_used_at} missing="never" />` },
  { id: "ends", label: "Ends", number: true, cell: (key) => html`<${End} of=${key} />` },
  { id: "made", label: "Made", number: true, cell: (key) => html`<${Age} at=${key.created_at} />` },
  { id: "do", label: "", cell: (key) => !key.revoked_at && html`<div class="actions">
      <button type="button" onClick=${() => ask({ key: key.id, change: "1" })} aria-label="Change ${key.name}">Change</button>
      <${Confirmed} label="Revoke" question=${question(key, me)} act=${() => remove(`keys/${key.id}`).then(reload)} bad />
    </div>` },
];

/** @param {any} key @param {any} me */
const question = (key, me) =>
  `${key.name} opens nothing any more from now on, and cannot be given back. What it has made stays.${key.id === me.id ? " It is the key that this page uses: you will be asked for another." : ""}`;

/** @param {{of: any}} props */
function End({ of: key }) {
  if (!key.expires_at) return html`<span class="faint">never</span>`;
  const date = new Date(key.expires_at);
  return html`<time datetime=${key.expires_at} title=${date.toISOString()}>${date.toLocaleDateString(undefined, { dateStyle: "medium" })}</time>`;
}

/** What a key uses. @param {{of: any, onClose: () => void}} props */
function Detail({ of: key, onClose }) {
  const { data, problem, loading } = useResource(`keys/${key.id}`);
  return html`<${Dialog} title=${key.name} onClose=${onClose}>
    <${ProblemNote} of=${problem} />
    ${loading && html`<${Loading} />`}
    ${data && html`<${Use} limits=${data.limits} used=${data.used} />`}
  </${Dialog}>`;
}
