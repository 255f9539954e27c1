// Webhooks: URLs that are told what happens.

import { useMay } from "../caller.js";
import { usePages, useTitle } from "../hooks.js";
import { Age, Empty, Labels, Loading, ProblemNote, State } from "../parts/basics.js";
import { More, Table } from "../parts/table.js";
import { Whose } from "../parts/whose.js";
import { ask, href, usePlace } from "../router.js";
import { html, useState } from "../view.js";
import { Ways } from "./setup/ways.js";
import { NewWebhook } from "./webhooks/form.js";
import { WebhookSecret } from "./webhooks/secret.js";

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { id: "url", label: "URL", cell: (webhook) => html`<div><a href=${href(["webhooks", webhook.id])}>${webhook.url}</a>${webhook.description && html`<div class="faint">${webhook.description}</div>`}<${Whose} of=${webhook} /></div>` },
  { id: "state", label: "State", cell: (webhook) => html`<div><${State} of=${webhook.enabled ? "enabled" : "disabled"} />${webhook.disabled_reason && html`<div class="why faint">${webhook.disabled_reason}</div>`}</div>` },
  { id: "events", label: "Is told of", cell: (webhook) => webhook.events.map((/** @type {string} */ event) => (event === "*" ? "everything" : event)).join(", ") },
  { id: "labels", label: "With labels", cell: (webhook) => html`<${Labels} of=${webhook.labels} />` },
  { id: "failures", label: "Given up", number: true, cell: (webhook) => webhook.failures },
  { id: "made", label: "Made", number: true, cell: (webhook) => html`<${Age} at=${webhook.created_at} />` },
];

export default function Webhooks() {
  useTitle("Webhooks");
  const mayRun = useMay("run");
  const { query } = usePlace();
  const { items, problem, loading, more, reload } = usePages("webhooks", { limit: 50 });
  const [made, setMade] = useState(/** @type {any} */ (null));
  const close = () => ask({ new: null });
  const take = (/** @type {any} */ webhook) => {
    close();
    setMade(webhook);
    reload();
  };
  return html`<div class="head"><h1>Webhooks</h1>
      ${mayRun && html`<div class="actions"><button type="button" class="main" onClick=${() => ask({ new: "1" })}>New webhook</button></div>`}
    </div>
    <${Ways} />
    <${ProblemNote} of=${problem} retry=${reload} />
    ${loading && html`<${Loading} what="Reading the webhooks" />`}
    ${items.length > 0 && html`<${Table} caption="Webhooks" columns=${COLUMNS} rows=${items} />`}
    ${!loading && !problem && !items.length && html`<${Empty}>No webhook yet. One is a URL of yours that the service posts to when a job or dataset is done, or fails: so that a chat or another program knows without asking.</${Empty}>`}
    <${More} more=${more} shown=${items.length} />
    ${query.get("new") && html`<${NewWebhook} onClose=${close} made=${take} />`}
    ${made && html`<${WebhookSecret} of=${made} onClose=${() => setMade(null)} />`}`;
}
