// The front page: every search, as filtered and sorted, live.

import { List } from "../job/list.js";
import { html } from "../view.js";
import { COLUMNS } from "./searches/columns.js";
import { Compared } from "./searches/compared.js";
import { Welcome } from "./searches/welcome.js";

export default function Searches() {
  return html`<${List} kind=${{ one: "search", many: "searches" }} title="Searches" columns=${COLUMNS}
    lost="Their networks and files are deleted with them."
    actions=${html`<a class="button main" href="#/searches/new">New search</a>`}
    none=${html`<${Welcome} />`}
    ways=${(/** @type {any[]} */ chosen) => html`<${Compared} rows=${chosen} />`} />`;
}
