// Datasets that are being sent: they go on while other pages show.

import { Problem, send } from "../client.js";
import { Signal } from "../signal.js";
import { upload } from "./tus.js";

/**
 * @typedef {object} Sending
 * @property {number} id
 * @property {string} name of the dataset
 * @property {number} size in bytes
 * @property {number} sent
 * @property {number} begun when, in milliseconds
 * @property {Problem | null} problem
 * @property {Draft} draft what was sent, to be sent again
 * @property {any} dataset as the service has it, once all has arrived
 * @property {() => void} stop
 */

/** @typedef {{chosen: import("./chosen.js").Chosen, said: Record<string, string>, uploaded: string | null}} Draft `said`: fields of the form beside the file; `uploaded`: where the file is at the service, once all of it has arrived */

/** @type {Signal<Sending[]>} */
export const sendings = new Signal(/** @type {Sending[]} */ ([]));
let made = 0;

addEventListener("beforeunload", (event) => {
  if (sendings.value.some(isUnderWay)) event.preventDefault();
});

/** @param {Sending} sending */
export const isUnderWay = (sending) => !sending.dataset && !sending.problem;

/**
 * Sends a dataset; {@link sendings} tells how far it is.
 * @param {Draft} draft a file that has arrived already is not sent again
 */
export async function begin(draft) {
  const { chosen, said } = draft;
  const going = new AbortController();
  const id = (made += 1);
  const change = (/** @type {Partial<Sending>} */ news) =>
    sendings.set(sendings.value.map((one) => (one.id === id ? { ...one, ...news } : one)));
  const first = { id, draft, name: said.name || chosen.name, size: chosen.content.size, sent: 0, begun: Date.now(), problem: null, dataset: null };
  sendings.set([...sendings.value, { ...first, stop: () => going.abort() }]);
  try {
    const uploaded = draft.uploaded ?? (await upload(chosen.content, chosen.filename, (sent) => change({ sent }), going.signal));
    change({ draft: { ...draft, uploaded } });
    const body = new FormData();
    body.set("upload", uploaded);
    for (const [field, text] of Object.entries(said)) if (text) body.set(field, text);
    const answer = await send("POST", "datasets", { body, signal: going.signal });
    change({ sent: chosen.content.size, dataset: await answer.json() });
  } catch (error) {
    if (going.signal.aborted) forget(id);
    else if (error instanceof Problem) change(error.status === 404 ? { problem: error, draft: { ...draft, uploaded: null } } : { problem: error });
    else throw error;
  }
}

/** @param {number} id */
export const forget = (id) => sendings.set(sendings.value.filter((one) => one.id !== id));
