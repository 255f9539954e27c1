// Above the form: what it makes, what it is made from, and the way to begin anew.

import { Confirmed } from "../parts/dialog.js";
import { href } from "../router.js";
import { html } from "../view.js";

/** @param {{of: import("./page.js").JobForm, source: any, may: boolean, changed: boolean, anew: () => void}} props */
export function Heading({ of, source, may, changed, anew }) {
  return html`<div class="head">
      <h1>${source ? `${of.title} like another` : of.title}</h1>
      ${changed && html`<div class="actions"><${Confirmed} label="Begin anew" question="What is written here is not kept." act=${async () => anew()} bad=${true} /></div>`}
    </div>
    ${source
      ? html`<p class="intro">It begins as <a href=${href([of.kind, source.id])}>${source.name || source.id}</a> was asked for. What you change is sent with it.</p>`
      : html`<p class="intro">${of.intro}</p>`}
    ${!may && html`<p class="note note-warn" role="status">Your key may read, but not start anything: it lacks the scope <code>run</code>. You can still see here what a ${of.one} would take. Whoever manages keys can make you one that may.</p>`}`;
}
