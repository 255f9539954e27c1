// What verifies that a message is from this service.

import { html } from "../../view.js";
import { Secret } from "../setup/secret.js";

/** @param {{of: any, onClose: () => void}} props */
export const WebhookSecret = ({ of: webhook, onClose }) => html`<${Secret} title="The secret of the webhook" label="Secret" secret=${webhook.secret} onClose=${onClose}>
  <p>The receiver at ${webhook.url} verifies messages by it, with any library of Standard Webhooks.</p>
</${Secret}>`;
