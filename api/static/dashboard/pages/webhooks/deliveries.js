// What a webhook was sent, and how that went.

import { post } from "../../client.js";
import { duration } from "../../format.js";
import { usePages, useResource } from "../../hooks.js";
import { Age, Empty, Facts, Loading, Panel, ProblemNote, State, Time } from "../../parts/basics.js";
import { Code } from "../../parts/copy.js";
import { Act, Dialog } from "../../parts/dialog.js";
import { More, Table } from "../../parts/table.js";
import { ask, usePlace } from "../../router.js";
import { html, useEffect } from "../../view.js";

const STATES = ["pending", "delivered", "failed"];

/** While something is to be sent, it is looked at so often. Milliseconds. */
const PAUSE = 2000;

/** @param {{of: any, mayRun: boolean, turn: number}} props `turn` changes when something was sent */
export function Deliveries({ of: webhook, mayRun, turn }) {
  const { query } = usePlace();
  const state = STATES.find((one) => one === query.get("state")) ?? null;
  const { items, problem, loading, more, reload } = usePages(`webhooks/${webhook.id}/deliveries`, { state, limit: 50 });
  const waits = items.some((delivery) => delivery.state === "pending");
  useEffect(() => void reload(), [turn]);
  useEffect(() => {
    if (!waits) return;
    const asking = setInterval(() => document.hidden || reload(), PAUSE);
    return () => clearInterval(asking);
  }, [waits, reload]);
  const shown = items.find((delivery) => delivery.id === query.get("delivery"));
  return html`<${Panel} title="Messages" actions=${html`<${OfState} state=${state} />`}>
    <${ProblemNote} of=${problem} retry=${reload} />
    ${loading && html`<${Loading} />`}
    ${items.length > 0 && html`<${Table} caption="Messages" columns=${COLUMNS} rows=${items} />`}
    ${!loading && !problem && !items.length && html`<${Empty}>${state ? "None is in that state." : "It was sent nothing yet. “Send a test” sends a message at once."}</${Empty}>`}
    <${More} more=${more} shown=${items.length} />
    ${shown && html`<${Message} webhook=${webhook} of=${shown} mayRun=${mayRun} reload=${reload} />`}
  </${Panel}>`;
}

/** @param {{state: string | null}} props */
const OfState = ({ state }) => html`<label class="inline">State
  <select onChange=${(/** @type {any} */ event) => ask({ state: event.target.value })}>
    <option value="">any</option>${STATES.map((one) => html`<option key=${one} value=${one} selected=${one === state}>${one}</option>`)}
  </select>
</label>`;

/** @type {import("../../parts/table.js").Column[]} */
const COLUMNS = [
  { id: "event", label: "Message", cell: (one) => html`<button type="button" class="link" onClick=${() => ask({ delivery: one.id })}>${one.event}</button>` },
  { id: "state", label: "State", cell: (one) => html`<${State} of=${one.state} />` },
  { id: "why", label: "Last attempt", cell: (one) => said(one) },
  { id: "attempt", label: "Attempts", number: true, cell: (one) => one.attempt },
  { id: "took", label: "Took", number: true, cell: (one) => duration(one.seconds) },
  { id: "next", label: "Next", cell: (one) => html`<${Time} at=${one.next_at} />` },
  { id: "made", label: "Written", number: true, cell: (one) => html`<${Age} at=${one.created_at} />` },
];

/** @param {any} delivery */
const said = ({ status_code: status, error }) => [status && `answered ${status}`, error].filter(Boolean).join(": ") || "–";

/** @param {{webhook: any, of: any, mayRun: boolean, reload: () => Promise<void>}} props */
function Message({ webhook, of: delivery, mayRun, reload }) {
  const path = `webhooks/${webhook.id}/deliveries/${delivery.id}`;
  const { data, problem } = useResource(path);
  const again = () => post(`${path}/retry`).then(reload);
  return html`<${Dialog} title=${delivery.event} onClose=${() => ask({ delivery: null })}>
    <${Facts} items=${[
      ["State", html`<${State} of=${delivery.state} />`],
      ["Attempts", delivery.attempt],
      ["Last attempt", html`<${Time} at=${delivery.attempted_at} />`],
      ["Next attempt", html`<${Time} at=${delivery.next_at} />`],
    ]} />
    ${said(delivery) !== "–" && html`<p>${said(delivery)}</p>`}
    ${delivery.answer && html`<${Code} text=${delivery.answer} label="Answer" />`}
    <${ProblemNote} of=${problem} />
    ${data && html`<${Code} text=${indented(data.body)} label="Message" />`}
    ${mayRun && html`<${Act} verb="Send again" act=${again} />`}
  </${Dialog}>`;
}

/** @param {string} body JSON, as it is sent */
function indented(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
