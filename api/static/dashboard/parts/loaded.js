// What is loaded when it is first shown: a page, or a part of one. A visit loads the files of what it looks at.

import { answering, heard } from "../connection.js";
import { html, useEffect, useErrorBoundary, useState } from "../view.js";
import { Loading } from "./basics.js";

/** Where this tab keeps for which files it was loaded anew, as they could not be read: of each by what loads it, for a part may be missing of a page that is there. */
const RELOADED = "dna-reloaded";

/**
 * The component that a module exports, with what else it is given. To show another one it takes another `key`.
 * @param {{load: () => Promise<any>, name?: string} & Record<string, any>} props `name` of the export, where it is not the default
 */
export function Loaded({ load, name = "default", ...given }) {
  const [part, setPart] = useState(/** @type {any} */ (null));
  const [missing, setMissing] = useState(false);
  const loaded = (/** @type {any} */ module) => {
    sessionStorage.removeItem(RELOADED + load);
    setPart(() => module[name]);
  };
  const [failed, retry] = useErrorBoundary((/** @type {any} */ error) => console.error(error));
  useEffect(() => {
    load().then(loaded, () => (sessionStorage.getItem(RELOADED + load) ? setMissing(true) : reloadOnceItAnswers(load)));
  }, []);
  if (missing) return html`<div class="note note-bad" role="alert"><p>A file of this page cannot be read. The service may have been installed anew just now.</p><button type="button" onClick=${() => location.reload()}>Try again</button></div>`;
  if (failed) return html`<div class="note note-bad" role="alert"><p>This page failed: ${String(failed.message ?? failed)}</p><button type="button" onClick=${retry}>Try again</button></div>`;
  return part ? html`<${part} ...${given} />` : html`<${Loading} what="Loading" />`;
}

/** A browser may keep in mind that a module could not be read, and not try again. Once is enough: the file may not be there. @param {() => Promise<any>} load */
function reloadOnceItAnswers(load) {
  sessionStorage.setItem(RELOADED + load, "yes");
  heard(null);
  answering.watch(() => answering.value && location.reload());
}
