// What stands around every page: the ways to the others, whether the page is live, whose key it uses.

import { useResource } from "./hooks.js";
import { Empty, Loading } from "./parts/basics.js";
import { Notices } from "./parts/notices.js";
import { href, usePlace } from "./router.js";
import { route } from "./routes.js";
import { key, locked, signOut } from "./session.js";
import { SignIn } from "./sign_in.js";
import { useSignal } from "./signal.js";
import { link } from "./stream.js";
import { setTheme, theme } from "./theme.js";
import { html, useEffect, useErrorBoundary, useState } from "./view.js";

const PLACES = [
  ["searches", "Searches"],
  ["networks", "Networks"],
  ["trainings", "Trainings"],
  ["tunings", "Tunings"],
  ["datasets", "Datasets"],
  ["workers", "Workers"],
];

export function Frame() {
  const { path } = usePlace();
  const isLocked = useSignal(locked);
  const held = useSignal(key);
  return html`<a class="skip" href="#main" onClick=${toMain}>Skip to the content</a>
    <header class="top">
      <a class="brand" href="#/searches"><img src="static/dashboard/icon.svg" alt="" width="24" height="24" />DNA AutoML</a>
      <nav aria-label="Main">
        ${PLACES.map(([place, label]) => html`<a key=${place} href=${href([place])} aria-current=${path[0] === place ? "page" : null}>${label}</a>`)}
      </nav>
      <div class="status"><${Live} /><${Theme} /><${Whose} held=${held} /></div>
    </header>
    <main id="main" tabindex="-1">
      ${isLocked ? html`<${SignIn} />` : html`<${Page} key=${`${held}/${path.join("/")}`} path=${path} />`}
    </main>
    <${Notices} />`;
}

/** The address is the page's own, so the usual link inside a document cannot lead there. @param {Event} event */
function toMain(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** @param {{path: string[]}} props */
function Page({ path }) {
  const found = route(path);
  const [page, setPage] = useState(/** @type {any} */ (null));
  const [failed, retry] = useErrorBoundary((/** @type {any} */ error) => console.error(error));
  useEffect(() => {
    found?.load().then((module) => setPage(() => module.default));
  }, []);
  if (!found) return html`<${Empty}>There is no such page. <a href="#/searches">See the searches.</a></${Empty}>`;
  if (failed) return html`<div class="note note-bad" role="alert"><p>This page failed: ${String(failed.message ?? failed)}</p><button type="button" onClick=${retry}>Try again</button></div>`;
  return page ? html`<${page} ...${found.params} />` : html`<${Loading} what="Loading" />`;
}

const SAID = { off: "", connecting: "Connecting", live: "Live", lost: "Connection lost: trying again" };

function Live() {
  const state = useSignal(link);
  return html`<span class="live live-${state}" role="status">${SAID[state]}</span>`;
}

function Theme() {
  const name = useSignal(theme);
  const next = { auto: "light", light: "dark", dark: "auto" }[name] ?? "auto";
  return html`<button type="button" class="plain" aria-label="Colours: ${name}. Change to ${next}." title="Colours: ${name}" onClick=${() => setTheme(next)}>
    ${{ auto: "◐", light: "☀", dark: "☾" }[name]}
  </button>`;
}

/** Whose key is used, and the way to what belongs to it. @param {{held: string | null}} props */
function Whose({ held }) {
  const { data } = useResource("keys/me");
  return html`<a href="#/settings">${data?.name ?? "Settings"}</a>
    ${held && html`<button type="button" class="plain" onClick=${signOut}>Sign out</button>`}`;
}
