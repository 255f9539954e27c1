// Server-sent events by fetch: EventSource can send no key. A stream that breaks is begun again after the last event that came, so that
// nothing is missed; while the page is hidden it rests, for a browser has few connections to a host.

import { address, authorization, Problem } from "./client.js";
import { heard } from "./connection.js";
import { key, locked, signIns } from "./session.js";
import { Signal } from "./signal.js";

/** @typedef {{id: string, event: string, data: any}} Message */
/** @typedef {"off" | "connecting" | "live" | "lost"} Link */

/** @type {Signal<Link>} How the page's stream is doing, for the header to say. */
export const link = new Signal(/** @type {Link} */ ("off"));

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/** A stream that sends nothing for so long, heartbeats included, is broken even where nobody says so. Milliseconds. */
const SILENCE = 45_000;

/**
 * Follows a stream until it is over or ended.
 * @param {string} path
 * @param {(messages: Message[]) => void} take gets what has come, in order, as often as something comes
 * @param {{after?: string | number | null, query?: import("./client.js").Query, over?: () => void}} [options]
 *   `after`: number of the last event that is known; `over`: is called when nothing more will come
 * @returns {() => void} ends it
 */
export function follow(path, take, { after = null, query = {}, over = () => {} } = {}) {
  let last = after === null ? null : String(after);
  let wait = FIRST_WAIT;
  let ended = false;
  /** @type {AbortController} */
  let going;

  const keep = (/** @type {Message[]} */ messages) => {
    wait = FIRST_WAIT;
    last = messages.findLast((message) => message.id)?.id ?? last;
    take(messages);
  };

  const run = async () => {
    while (!ended) {
      await shown();
      if (ended) return;
      going = new AbortController();
      const rest = () => document.hidden && going.abort();
      document.addEventListener("visibilitychange", rest);
      const used = key.value;
      try {
        link.set(link.value === "lost" ? "lost" : "connecting");
        if (await read(path, query, last, going, keep)) {
          if (!ended) link.set("off");
          return over();
        }
      } catch (error) {
        const status = error instanceof Problem ? error.status : 0;
        if ([403, 404].includes(status)) return link.set("off");
        if (status === 401 && used === key.value) await signedIn(() => ended);
        else if (!ended && !document.hidden) link.set("lost");
      } finally {
        document.removeEventListener("visibilitychange", rest);
      }
      if (ended) return;
      if (document.hidden) continue;
      await new Promise((done) => setTimeout(done, wait));
      wait = Math.min(2 * wait, LONGEST_WAIT);
    }
  };

  run();
  return () => {
    ended = true;
    going?.abort();
    link.set("off");
  };
}

/** Asks for a key, for the one that there was opens nothing any more, and waits for it. @param {() => boolean} ended */
function signedIn(ended) {
  link.set("off");
  if (ended()) return Promise.resolve();
  locked.set(true);
  return new Promise((done) => {
    const end = signIns.watch(() => {
      end();
      done(undefined);
    });
  });
}

/** Waits until somebody looks at the page. */
function shown() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}

/**
 * @param {string} path
 * @param {import("./client.js").Query} query
 * @param {string | null} last
 * @param {AbortController} going
 * @param {(messages: Message[]) => void} take
 * @returns {Promise<boolean>} whether it is over for good
 */
async function read(path, query, last, going, take) {
  const headers = { ...authorization(), Accept: "text/event-stream", ...(last === null ? {} : { "Last-Event-ID": last }) };
  const answer = await fetch(address(path, query), { headers, signal: going.signal, cache: "no-store" });
  heard(answer.status);
  if (answer.status === 204) return true;
  if (!answer.ok || !answer.body) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  link.set("live");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const silent = setTimeout(() => going.abort(), SILENCE);
    const { done, value } = await reader.read().finally(() => clearTimeout(silent));
    if (done) return false;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop() ?? "";
    const messages = blocks.map(parse).filter((message) => message !== null);
    if (messages.length) take(messages);
  }
}

/**
 * @param {string} block lines of one event
 * @returns {Message | null} null where it is only a comment
 */
function parse(block) {
  const message = { id: "", event: "message", data: "" };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (line.startsWith("id:")) message.id = value;
    else if (line.startsWith("event:")) message.event = value;
    else if (line.startsWith("data:")) message.data += value;
  }
  return message.data ? { ...message, data: JSON.parse(message.data) } : null;
}
