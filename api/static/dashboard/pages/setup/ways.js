// The pages of what is set up, beside one another.

import { useMay } from "../../caller.js";
import { href, usePlace } from "../../router.js";
import { html } from "../../view.js";

/** @type {[string, string, boolean][]} page, what it is called, whether it is for admins alone */
const WAYS = [
  ["settings", "Settings", false],
  ["webhooks", "Webhooks", false],
  ["keys", "Keys", true],
  ["projects", "Projects", true],
];

export function Ways() {
  const here = usePlace().path[0];
  const isAdmin = useMay("admin");
  return html`<nav class="tabs" aria-label="Set up">
    ${WAYS.filter(([, , forAdmins]) => isAdmin || !forAdmins).map(([page, label]) => html`<a key=${page} href=${href([page])} aria-current=${page === here ? "page" : null}>${label}</a>`)}
  </nav>`;
}

/** In place of what only admins see. @param {{what: string}} props */
export const ForAdmins = ({ what }) => html`<p class="note">
  Only a key with the scope <code>admin</code> may see ${what}, and the key in use has it not.
  Ask whoever runs the service, or <a href="#/settings">use another key</a>.
</p>`;
