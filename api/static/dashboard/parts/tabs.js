// Tabs of a page, kept in its address so that each can be linked to.

import { href, usePlace } from "../router.js";
import { html, useLayoutEffect, useRef } from "../view.js";

/** @typedef {{id: string, label: string, hint?: any}} Tab */

/** The tab that shows. @param {Tab[]} tabs */
export function useTab(tabs) {
  const asked = usePlace().query.get("tab");
  return tabs.find((tab) => tab.id === asked)?.id ?? tabs[0].id;
}

/** @param {{tabs: Tab[], label: string}} props */
export function Tabs({ tabs, label }) {
  const { path } = usePlace();
  const shown = useTab(tabs);
  const row = useRef(/** @type {HTMLElement | null} */ (null));
  // The one that shows is in view where the row is wider than the screen; the page itself stays where it is.
  useLayoutEffect(() => {
    const [all, one] = [row.current, /** @type {HTMLElement | null} */ (row.current?.querySelector("[aria-current]") ?? null)];
    if (all && one) all.scrollLeft = one.offsetLeft - all.offsetLeft - (all.clientWidth - one.offsetWidth) / 2;
  }, [shown]);
  return html`<nav class="tabs" aria-label=${label} ref=${row}>
    ${tabs.map((tab) => html`<a key=${tab.id} href=${href(path, { tab: tab.id === tabs[0].id ? null : tab.id })} aria-current=${tab.id === shown ? "page" : null}>
      ${tab.label}${tab.hint !== undefined && html` <span class="faint">${tab.hint}</span>`}
    </a>`)}
  </nav>`;
}
