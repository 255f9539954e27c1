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
 * @property {import("./chosen.js").Chosen} chosen what was sent, to be sent again
 * @property {any} dataset as the service has it, once all has arrived
 * @property {() => void} stop
 */

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
 * @param {import("./chosen.js").Chosen} chosen
 * @param {Record<string, string>} said fields of the form beside the file: name, layout, encoding, licence
 */
export async function begin(chosen, said) {
  const going = new AbortController();
  const id = (made += 1);
  const change = (/** @type {Partial<Sending>} */ news) =>
    sendings.set(sendings.value.map((one) => (one.id === id ? { ...one, ...news } : one)));
  const first = { id, chosen, name: said.name || chosen.name, size: chosen.content.size, sent: 0, begun: Date.now(), problem: null, dataset: null };
  sendings.set([...sendings.value, { ...first, stop: () => going.abort() }]);
  try {
    const uploaded = await upload(chosen.content, chosen.filename, (sent) => change({ sent }), going.signal);
    const body = new FormData();
    body.set("upload", uploaded);
    for (const [field, text] of Object.entries(said)) if (text) body.set(field, text);
    const answer = await send("POST", "datasets", { body, signal: going.signal });
    change({ sent: chosen.content.size, dataset: await answer.json() });
  } catch (error) {
    if (going.signal.aborted) forget(id);
    else if (error instanceof Problem) change({ problem: error });
    else throw error;
  }
}

/** @param {number} id */
export const forget = (id) => sendings.set(sendings.value.filter((one) => one.id !== id));
