// The dashboard: a client of the HTTP API like any other. This file puts the page that the address names into the frame around it.

import { Frame } from "./frame.js";
import { html, render } from "./view.js";

const page = /** @type {HTMLElement} */ (document.getElementById("page"));
page.replaceChildren(); // What stands there says that nothing has come yet.
render(html`<${Frame} />`, page);
