// The HTTP API, as any other client has it. Paths are relative to the page, so that the service may stand behind a prefix.

import { told } from "./clock.js";
import { heard } from "./connection.js";
import { key, locked } from "./session.js";

/** @typedef {Record<string, string | number | boolean | null | undefined | (string | number)[]>} Query */

const AWAY = "The service does not answer. It may be restarting; the page goes on when it is back.";

/** An answer that is no success, as RFC 9457 describes it, or none at all (`status` 0). */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {any} body
   */
  constructor(status, body) {
    super(body.detail || body.title || `The service answered ${status}.`);
    this.status = status;
    /** @type {{pointer?: string, parameter?: string, detail: string}[]} */
    this.errors = body.errors ?? [];
    /** @type {string | null} */
    this.requestId = body.request_id ?? null;
    this.body = body;
  }
}

/**
 * @param {string} path without a leading slash
 * @param {Query} [query] left out where null, undefined or empty; a list is the parameter several times
 */
export function address(path, query = {}) {
  const url = new URL(path, document.baseURI.split("#")[0]);
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") url.searchParams.append(name, String(one));
    }
  }
  return url.href;
}

/** @returns {Record<string, string>} */
export function authorization() {
  return key.value ? { Authorization: `Bearer ${key.value}` } : {};
}

/**
 * Sends a request; the answer is a success.
 * @param {string} method
 * @param {string} path
 * @param {{query?: Query, json?: unknown, body?: BodyInit, headers?: Record<string, string>, signal?: AbortSignal}} [asked]
 * @returns {Promise<Response>}
 * @throws {Problem}
 */
export async function send(method, path, { query, json, body, headers = {}, signal } = {}) {
  /** @type {Record<string, string>} */
  const typed = json === undefined ? {} : { "Content-Type": "application/json" };
  const content = json === undefined ? body : JSON.stringify(json);
  const used = key.value;
  let answer;
  try {
    answer = await fetch(address(path, query), {
      method,
      body: content,
      signal,
      headers: { ...authorization(), ...typed, ...headers },
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    heard(null);
    throw new Problem(0, { detail: AWAY });
  }
  if (!heard(answer.status)) throw new Problem(0, { detail: AWAY });
  told(answer.headers.get("Date"));
  if (answer.ok) return answer;
  // A key that is only tried, or was in use before, says nothing of the one in use.
  if (answer.status === 401 && !headers.Authorization && used === key.value) locked.set(true);
  throw new Problem(answer.status, await answer.json().catch(() => ({ title: answer.statusText })));
}

/**
 * @param {string} path
 * @param {Query} [query]
 * @param {AbortSignal} [signal]
 */
export const get = async (path, query, signal) => read(await send("GET", path, { query, signal }));

/**
 * @param {string} path
 * @param {unknown} [json]
 * @param {AbortSignal} [signal]
 */
export const post = async (path, json, signal) => read(await send("POST", path, { json, signal }));

/**
 * @param {string} path
 * @param {unknown} changes a merge patch
 */
export const patch = async (path, changes) =>
  read(
    await send("PATCH", path, {
      body: JSON.stringify(changes),
      headers: { "Content-Type": "application/merge-patch+json" },
    }),
  );

/** What an answer says; one that is no JSON is another's, such as a proxy's page. @param {Response} answer */
async function read(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(answer.status, { detail: "What answered is not this service: something between may want you to sign in." });
  }
}

/** @param {string} path */
export const remove = (path) => send("DELETE", path);

/**
 * Saves what a path answers as a file, under the name that the service gives it.
 * @param {string} path
 * @param {Query} [query]
 */
export async function save(path, query) {
  const answer = await send("GET", path, { query });
  saveAs(await answer.blob(), fileName(answer) ?? path.split("/").at(-1) ?? "download");
}

/** What the service calls a file; a name beyond ASCII comes encoded too (RFC 8187). @param {Response} answer */
export function fileName(answer) {
  const said = answer.headers.get("Content-Disposition") ?? "";
  const wide = /filename\*=UTF-8''([^;\s]+)/i.exec(said)?.[1];
  return wide ? decodeURIComponent(wide) : /filename="([^"]+)"/.exec(said)?.[1];
}

/**
 * @param {Blob} content
 * @param {string} name
 */
export function saveAs(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @type {Promise<any> | null} */
let known = null;

/** The OpenAPI document of the service, read once. */
export function openapi() {
  known ??= get("openapi.json").catch((error) => {
    known = null;
    throw error;
  });
  return known;
}
