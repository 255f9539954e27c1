// Small things that every page shows: states, times, progress, problems, what is missing.

import { age, local, progress, utc } from "../format.js";
import { useTick } from "../hooks.js";
import { html } from "../view.js";

/** A state, told by a word and a mark, not by its colour alone. @param {{of: string, cancelling?: boolean}} props */
export function State({ of, cancelling = false }) {
  return html`<span class="state state-${of}">${cancelling && of === "running" ? "cancelling" : of}</span>`;
}

/** A time as its age; the reader's own time and UTC on hover. @param {{at: string | null | undefined, missing?: string}} props */
export function Age({ at, missing = "–" }) {
  useTick(20);
  if (!at) return html`<span class="faint">${missing}</span>`;
  return html`<time datetime=${at} title="${local(at)}\n${utc(at)}">${age(at)}</time>`;
}

/** A time in full. @param {{at: string | null | undefined}} props */
export function Time({ at }) {
  if (!at) return html`<span class="faint">–</span>`;
  return html`<time datetime=${at} title=${utc(at)}>${local(at)}</time>`;
}

/** @param {{value: number, label: string, over?: boolean}} props `value` from 0 to 1; only what is `over` is whole */
export function Progress({ value, label, over = false }) {
  return html`<span class="progress">
    <progress max="1" value=${over ? value : Math.min(value, 0.99)} aria-label=${label}></progress><span class="number">${over && value === 1 ? "100%" : progress(value)}</span>
  </span>`;
}

/** What went wrong and what to do. @param {{of: import("../client.js").Problem | null, retry?: () => void}} props */
export function ProblemNote({ of, retry }) {
  if (!of) return null;
  return html`<div class="note note-bad" role="alert">
    <p>${of.message}</p>
    ${of.errors.length > 1 && html`<ul>${of.errors.map((error) => html`<li>${error.detail}</li>`)}</ul>`}
    ${of.requestId && html`<p class="faint">Request ${of.requestId}</p>`}
    ${retry && html`<button type="button" onClick=${retry}>Try again</button>`}
  </div>`;
}

/** In place of what is not there: why, and what would bring it. @param {{children?: any}} props */
export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

/** @param {{what?: string}} props */
export const Loading = ({ what = "Reading" }) => html`<p class="empty" role="status" aria-busy="true">${what} …</p>`;

/** Term and value, side by side. @param {{items: [string, any][]}} props */
export const Facts = ({ items }) =>
  html`<dl class="facts">${items.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;

/** Labels; where `pick` is given, each is a button that picks it. @param {{of: Record<string, string>, pick?: (name: string, value: string) => void}} props */
export const Labels = ({ of, pick }) =>
  Object.entries(of).map(([name, value]) =>
    pick
      ? html`<button type="button" class="label" key=${name} title="Show only what has the label ${name}: ${value}" onClick=${() => pick(name, value)}>${name}: ${value}</button>`
      : html`<span class="label" key=${name} title="${name}: ${value}">${name}: ${value}</span>`,
  );

/** A part of a page under a heading. @param {{title: string, id?: string, actions?: any, children?: any}} props */
export const Panel = ({ title, id, actions, children }) => html`<section class="panel" id=${id} aria-label=${title}>
  <header><h2>${title}</h2>${actions && html`<div class="actions">${actions}</div>`}</header>
  ${children}
</section>`;
