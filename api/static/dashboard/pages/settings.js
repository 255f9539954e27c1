// Whose key is used and what it may; how the page looks; how the service is.

import { useCaller } from "../caller.js";
import { openapi } from "../client.js";
import { useResource, useTitle } from "../hooks.js";
import { Facts, Loading, Panel, Time } from "../parts/basics.js";
import { key, signOut } from "../session.js";
import { AnotherKey } from "../sign_in.js";
import { useSignal } from "../signal.js";
import { setTheme, theme } from "../theme.js";
import { html, useEffect, useState } from "../view.js";
import { Use } from "./setup/limits.js";
import { Ways } from "./setup/ways.js";

export default function Settings() {
  useTitle("Settings");
  const me = useCaller();
  return html`<div class="head"><h1>Settings</h1></div>
    <${Ways} />
    <div class="grid">
      ${me ? html`<${Mine} of=${me} />` : html`<${Loading} />`}
      <${Service} />
      <${Panel} title="Another key">
        <p>From then on this page shows what that key may see.</p>
        <${AnotherKey} />
      </${Panel}>
      <${Colours} />
    </div>`;
}

/** @param {{of: any}} props */
function Mine({ of: me }) {
  const held = useSignal(key);
  const facts = [
    ["Key", me.name ?? "none"],
    ["Project", me.project],
    ["It may", me.scopes.join(", ")],
    ["Works until", me.expires_at ? html`<${Time} at=${me.expires_at} />` : "it is revoked"],
  ];
  return html`<${Panel} title="Your key" actions=${held && html`<button type="button" onClick=${signOut}>Sign out</button>`}>
    ${!me.id && html`<p>On this machine the service needs no key, and everything may be done.</p>`}
    <${Facts} items=${me.id ? facts : facts.slice(1, 3)} />
    ${me.id && html`<h3>What it uses</h3><${Use} limits=${me.limits} used=${me.used} />`}
  </${Panel}>`;
}

/** @type {[string, string][]} */
const THEMES = [
  ["auto", "as the system has it"],
  ["light", "light"],
  ["dark", "dark"],
];

function Colours() {
  const chosen = useSignal(theme);
  return html`<${Panel} title="Colours">
    <fieldset class="plain"><legend class="unseen">Colours</legend>
      ${THEMES.map(([name, label]) => html`<label class="inline" key=${name}><input type="radio" name="theme" value=${name} checked=${chosen === name} onChange=${() => setTheme(name)} /> ${label}</label>`)}
    </fieldset>
  </${Panel}>`;
}

/** What the service stands on: how it is called, and what is the matter where it is not there. @type {[string, string, string][]} */
const PARTS = [
  ["database", "Database", "PostgreSQL does not answer."],
  ["migrations", "Its schema", "It is not the one of this version: run dna migrate."],
  ["redis", "Queue", "Redis does not answer."],
  ["files", "Files", "The stored files, or the folder of the datasets, cannot be read and written."],
];

/** So often the service is asked how it is. Milliseconds. */
const PAUSE = 15_000;

function Service() {
  const { data, problem, reload } = useResource("readyz");
  const [version, setVersion] = useState("");
  useEffect(() => {
    openapi().then((document) => setVersion(document.info.version), () => setVersion(""));
    const asking = setInterval(() => document.hidden || reload(), PAUSE);
    return () => clearInterval(asking);
  }, []);
  const found = problem ? problem.body.checks : data;
  return html`<${Panel} title="The service">
    ${found ? html`<${Readiness} of=${found} />` : problem ? html`<p class="bad-text">${problem.message}</p>` : html`<${Loading} />`}
    <p>${version && `Version ${version}. `}<a href="docs">Every route of its API</a>, <a href="openapi.json">as OpenAPI</a>.</p>
  </${Panel}>`;
}

/** @param {{of: any}} props */
const Readiness = ({ of: found }) => html`<ul class="marks">
  ${PARTS.map(([name, label, missing]) => html`<li key=${name}><span class="state ${found[name] ? "state-ready" : "state-failed"}">${label}</span>${!found[name] && `: ${missing}`}</li>`)}
  <li><span class="state ${found.workers ? "state-ready" : "state-failed"}">Workers</span>: ${found.workers ? html`<a href="#/workers">${found.workers} live</a>` : "none is live. What is asked for waits until one is: dna worker starts one."}</li>
  ${found.warnings.map((/** @type {string} */ warning) => html`<li key=${warning}>${warning}</li>`)}
</ul>`;
