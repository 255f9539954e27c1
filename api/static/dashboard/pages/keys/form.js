// A key that is made or changed.

import { patch, post } from "../../client.js";
import { useResource } from "../../hooks.js";
import { Dialog } from "../../parts/dialog.js";
import { Form } from "../../parts/form.js";
import { html, useId } from "../../view.js";
import { LimitFields, limitsOf } from "../setup/limits.js";

/** @type {[string, string][]} */
const SCOPES = [
  ["read", "see everything of its project"],
  ["run", "create, change, cancel and delete there"],
  ["admin", "manage keys, and see every project"],
];

/** @param {{onClose: () => void, made: (key: any) => void}} props */
export function NewKey({ onClose, made }) {
  const projects = useProjects();
  const list = useId();
  const send = async (/** @type {FormData} */ form) => {
    const limits = Object.fromEntries(Object.entries(limitsOf(form)).filter(([, value]) => value !== null));
    made(await post("keys", { ...written(form), project: String(form.get("project")).trim() || null, limits }));
  };
  return html`<${Dialog} title="New key" onClose=${onClose}>
    <${Form} verb="Create" send=${send}>
      <${Whose} name="" scopes=${["read", "run"]} />
      <label>Project <input name="project" list=${list} maxlength="100" placeholder="a new one, called as the key" /></label>
      <datalist id=${list}>${projects.map((name) => html`<option key=${name} value=${name}></option>`)}</datalist>
      <${Ends} at=${null} />
      <${LimitFields} limits=${{}} empty="An empty one is as the service is set up." none="as set up" />
    </${Form}>
  </${Dialog}>`;
}

/** @param {{of: any, onClose: () => void, changed: () => void}} props */
export function ChangeKey({ of: key, onClose, changed }) {
  const send = async (/** @type {FormData} */ form) => {
    await patch(`keys/${key.id}`, { ...written(form), limits: limitsOf(form) });
    changed();
  };
  return html`<${Dialog} title="Change ${key.name}" onClose=${onClose}>
    <${Form} verb="Save" send=${send}>
      <${Whose} name=${key.name} scopes=${key.scopes} />
      <${Ends} at=${key.expires_at} />
      <${LimitFields} limits=${key.limits} empty="An empty one is no limit." none="no limit" />
    </${Form}>
  </${Dialog}>`;
}

/** What both forms say. @param {FormData} form */
function written(form) {
  const day = String(form.get("ends"));
  return {
    name: String(form.get("name")).trim(),
    scopes: form.getAll("scopes"),
    // A day is over at its end, where the reader is.
    expires_at: day ? new Date(`${day}T23:59:59`).toISOString() : null,
  };
}

/** @returns {string[]} */
function useProjects() {
  const { data } = useResource("projects", { limit: 200 });
  return (data?.items ?? []).map((/** @type {any} */ project) => project.name);
}

/** @param {{name: string, scopes: string[]}} props */
const Whose = ({ name, scopes }) => html`<label>Name <input name="name" autofocus required maxlength="200" defaultValue=${name} placeholder="whose it is, or what for" /></label>
  <fieldset><legend>It may</legend>
    ${SCOPES.map(([scope, says]) => html`<label class="inline" key=${scope}><input type="checkbox" name="scopes" value=${scope} defaultChecked=${scopes.includes(scope)} /> <span><b>${scope}</b>: ${says}</span></label>`)}
  </fieldset>`;

/** @param {{at: string | null}} props */
const Ends = ({ at }) => html`<label>Works until the end of <input type="date" name="ends" defaultValue=${at ? day(new Date(at)) : ""} /></label>
  <p class="faint">Without a day it lasts until it is revoked.</p>`;

/** @param {Date} time */
const day = (time) => [time.getFullYear(), time.getMonth() + 1, time.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
