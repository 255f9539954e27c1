// One webhook: what it is told, how that went, and what can be done with it.

import { useMay } from "../caller.js";
import { patch, post, remove } from "../client.js";
import { useResource, useTitle } from "../hooks.js";
import { Facts, Labels, Loading, Panel, ProblemNote, State, Time } from "../parts/basics.js";
import { Act, Confirmed } from "../parts/dialog.js";
import { notify } from "../parts/notices.js";
import { ask, go, href, usePlace } from "../router.js";
import { html, useState } from "../view.js";
import { Deliveries } from "./webhooks/deliveries.js";
import { ChangeWebhook } from "./webhooks/form.js";
import { WebhookSecret } from "./webhooks/secret.js";

/** @param {{id: string}} props */
export default function Webhook({ id }) {
  const { data, problem, loading, reload } = useResource(`webhooks/${id}`);
  useTitle(data ? `Webhook ${data.url}` : "Webhook");
  const mayRun = useMay("run");
  const [turn, setTurn] = useState(0);
  const { query } = usePlace();
  const close = () => ask({ change: null });
  const changed = () => {
    close();
    reload();
  };
  return html`<p><a href="#/webhooks">Webhooks</a></p>
    <div class="head"><h1>${data?.url ?? "Webhook"}</h1></div>
    <${ProblemNote} of=${problem} retry=${reload} />
    ${loading && html`<${Loading} />`}
    ${data && html`
      <${Panel} title="What it is told" actions=${mayRun && html`<${Actions} of=${data} reload=${reload} sent=${() => setTurn(turn + 1)} />`}><${What} of=${data} /></${Panel}>
      <${Deliveries} of=${data} mayRun=${mayRun} turn=${turn} />
      ${query.get("change") && html`<${ChangeWebhook} of=${data} onClose=${close} changed=${changed} />`}`}`;
}

/** @param {{of: any}} props */
function What({ of: webhook }) {
  return html`<${Facts} items=${[
    ["State", html`<${State} of=${webhook.enabled ? "enabled" : "disabled"} />${webhook.disabled_reason && html`<div>${webhook.disabled_reason}</div>`}`],
    ["Is told of", webhook.events.map((/** @type {string} */ event) => (event === "*" ? "everything" : event)).join(", ")],
    ["Only of jobs with", Object.keys(webhook.labels).length ? html`<${Labels} of=${webhook.labels} />` : "any labels"],
    ["What it is for", webhook.description || "–"],
    ["Given up since one was taken", webhook.failures],
    ["Made", html`<${Time} at=${webhook.created_at} />${webhook.created_by && ` by ${webhook.created_by}`}`],
    ...(webhook.previous_until ? [["The secret before signs until", html`<${Time} at=${webhook.previous_until} />`]] : []),
  ]} />`;
}

/** @param {{of: any, reload: () => Promise<void>, sent: () => void}} props */
function Actions({ of: webhook, reload, sent }) {
  const [secret, setSecret] = useState(/** @type {any} */ (null));
  const path = `webhooks/${webhook.id}`;
  const enable = () => patch(path, { enabled: !webhook.enabled }).then(reload);
  const rotate = () => post(`${path}/rotate`).then(setSecret).then(reload);
  const test = () => post(`${path}/test`).then(() => { sent(); notify("A test message is on its way: see below what comes of it."); });
  const discard = () => remove(path).then(() => go(href(["webhooks"])));
  return html`${webhook.enabled && html`<${Act} verb="Send a test" act=${test} />`}
    <button type="button" onClick=${() => ask({ change: "1" })}>Change</button>
    <${Act} verb=${webhook.enabled ? "Disable" : "Enable"} act=${enable} />
    <${Confirmed} label="New secret" question="Messages are signed by the old secret as well for 24 hours, so that the receiver can be changed meanwhile." act=${rotate} />
    <${Confirmed} label="Delete" question="It is deleted with its log, and what waits for it is not sent." act=${discard} bad />
    ${secret && html`<${WebhookSecret} of=${secret} onClose=${() => setSecret(null)} />`}`;
}
