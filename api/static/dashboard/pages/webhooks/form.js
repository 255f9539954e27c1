// A webhook that is made or changed.

import { patch, post } from "../../client.js";
import { Dialog } from "../../parts/dialog.js";
import { Form } from "../../parts/form.js";
import { html } from "../../view.js";

/** @param {{onClose: () => void, made: (webhook: any) => void}} props */
export const NewWebhook = ({ onClose, made }) => html`<${Dialog} title="New webhook" onClose=${onClose}>
  <${Form} verb="Create" send=${async (/** @type {FormData} */ form) => made(await post("webhooks", written(form)))}>
    <${Fields} of=${{ url: "", events: ["*"], labels: {}, description: "" }} />
  </${Form}>
</${Dialog}>`;

/** @param {{of: any, onClose: () => void, changed: () => void}} props */
export function ChangeWebhook({ of: webhook, onClose, changed }) {
  const send = async (/** @type {FormData} */ form) => {
    const { labels, ...rest } = written(form);
    const gone = Object.fromEntries(Object.keys(webhook.labels).map((name) => [name, null]));
    await patch(`webhooks/${webhook.id}`, { ...rest, labels: { ...gone, ...labels } });
    changed();
  };
  return html`<${Dialog} title="Change the webhook" onClose=${onClose}>
    <${Form} verb="Save" send=${send}><${Fields} of=${webhook} /></${Form}>
  </${Dialog}>`;
}

/** @param {{of: any}} props */
const Fields = ({ of: webhook }) => html`<label>URL <input name="url" autofocus type="url" required maxlength="2000" defaultValue=${webhook.url} placeholder="an https address of yours" /></label>
  <label>Is told of <input name="events" required defaultValue=${webhook.events.join(", ")} /></label>
  <p class="faint">Types of messages with commas between: <code>search.succeeded</code>, all of a kind <code>search.*</code>, all failures <code>*.failed</code>, everything <code>*</code>.</p>
  <label>Only of jobs with the labels <textarea name="labels" rows="2" defaultValue=${Object.entries(webhook.labels).map(([name, value]) => `${name}: ${value}`).join("\n")} placeholder="team: vision"></textarea></label>
  <p class="faint">One a line. With none it is told of all jobs of the project, and of datasets.</p>
  <label>What it is for <input name="description" maxlength="500" defaultValue=${webhook.description} /></label>`;

/** @param {FormData} form */
const written = (form) => ({
  url: String(form.get("url")).trim(),
  events: String(form.get("events")).split(",").map((event) => event.trim()).filter(Boolean),
  labels: Object.fromEntries(String(form.get("labels")).split("\n").filter((line) => line.trim()).map(label)),
  description: String(form.get("description")).trim(),
});

/** @param {string} line @returns {[string, string]} */
function label(line) {
  const colon = line.indexOf(":");
  return colon < 0 ? [line.trim(), ""] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}
