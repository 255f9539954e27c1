// What stands around every page: the ways to the others, whether the page is live, whose key it uses.

import { caller } from "./caller.js";
import { answering } from "./connection.js";
import { useResource } from "./hooks.js";
import { Empty } from "./parts/basics.js";
import { Loaded } from "./parts/loaded.js";
import { Notices } from "./parts/notices.js";
import { href, usePlace } from "./router.js";
import { route } from "./routes.js";
import { callers, key, locked, signOut } from "./session.js";
import { SignIn } from "./sign_in.js";
import { useSignal } from "./signal.js";
import { link } from "./stream.js";
import { setTheme, theme } from "./theme.js";
import { html, useEffect, useRef, useState } from "./view.js";

const ICON = new URL("icon.svg", import.meta.url).href;

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
  const owner = useSignal(callers);
  useFocus(path.join("/"));
  return html`<a class="skip" href="#main" onClick=${toMain}>Skip to the content</a>
    <${Top} here=${path[0]} />
    <main id="main" tabindex="-1">
      ${isLocked && html`<${SignIn} />`}
      <div hidden=${isLocked}><${Page} key=${`${owner}/${path.join("/")}`} path=${path} /></div>
    </main>
    <${Notices} />`;
}

/** Whoever reads from the top, by ear or by keyboard, begins at a page's beginning when it opens. @param {string} path */
function useFocus(path) {
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  }, [path]);
}

/** @param {{here: string}} props the page that shows */
function Top({ here }) {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  useEffect(close, [here]);
  const escape = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && close();
  return html`<header class="top ${open ? "top-open" : ""}" onKeyDown=${escape}>
    <a class="brand" href="#/searches"><img src=${ICON} alt="" width="24" height="24" />DNA AutoML</a>
    <${Live} />
    <button type="button" class="menu" aria-expanded=${open} aria-controls="ways" onClick=${() => setOpen(!open)}>Menu</button>
    <div class="ways" id="ways">
      <nav aria-label="Main" onClick=${close}>
        ${PLACES.map(([place, label]) => html`<a key=${place} href=${href([place])} aria-current=${(place === here) ? "page" : null}>${label}</a>`)}
      </nav>
      <div class="status"><${Theme} /><${Whose} here=${here} /></div>
    </div>
  </header>`;
}

/** The address is the page's own, so the usual link inside a document cannot lead there. @param {Event} event */
function toMain(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** @param {{path: string[]}} props */
function Page({ path }) {
  const found = route(path);
  if (!found) return html`<${Empty}>There is no such page. <a href="#/searches">See the searches.</a></${Empty}>`;
  return html`<${Loaded} load=${found.load} ...${found.params} />`;
}

/** A page without a stream of its own shows what it was told when it was opened. */
const SAID = { off: "Connected", connecting: "Connecting", live: "Live", lost: "Connection lost: trying again" };

/** @type {Record<string, string>} */
const MEANS = { off: "The service answers. What shows here does not change by itself.", live: "What shows is kept up to date by itself.", lost: "The service does not answer." };

/** Whether what shows is kept up to date. */
function Live() {
  const stream = useSignal(link);
  const state = useSignal(answering) ? stream : "lost";
  return html`<span class="live live-${state}" role="status" title=${MEANS[state]}>${SAID[state]}</span>`;
}

function Theme() {
  const name = useSignal(theme);
  const next = { auto: "light", light: "dark", dark: "auto" }[name] ?? "auto";
  return html`<button type="button" class="plain" aria-label="Colours: ${name}. Change to ${next}." title="Colours: ${name}" onClick=${() => setTheme(next)}>
    ${{ auto: "◐", light: "☀", dark: "☾" }[name]}
  </button>`;
}

/** Pages about keys and what else is set up. */
const SETUP = ["settings", "keys", "webhooks", "projects"];

/** Whose key is used, and the way to what belongs to it. @param {{here: string}} props */
function Whose({ here }) {
  const { data } = useResource("keys/me");
  useEffect(() => caller.set(data), [data]);
  const held = useSignal(key);
  return html`<a href="#/settings" title=${data?.name ? `Settings. The key in use: ${data.name}` : "Settings"} aria-current=${SETUP.includes(here) ? "page" : null}>
      Settings${data?.name && html`<span class="faint whose"> ${data.name}</span>`}
    </a>
    ${held && html`<button type="button" class="plain" onClick=${signOut}>Sign out</button>`}`;
}
