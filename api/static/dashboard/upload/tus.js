// Files of any size in pieces, by tus 1.0: what has arrived stays when the connection breaks, and the rest follows.

import { address, authorization, Problem, send } from "../client.js";

const PIECE = 8 * 2 ** 20;
const VERSION = { "Tus-Resumable": "1.0.0" };

/** How often in a row a piece is tried before it is given up, and the longest pause between, in milliseconds. */
const TRIES = 8;
const LONGEST_WAIT = 15_000;

/**
 * @param {Blob} content
 * @param {string} filename
 * @param {(sent: number) => void} tell bytes that have arrived
 * @param {AbortSignal} signal
 * @returns {Promise<string>} id of the upload, for `POST /datasets`
 * @throws {Problem}
 */
export async function upload(content, filename, tell, signal) {
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(filename)));
  const begun = await send("POST", "uploads", {
    headers: { ...VERSION, "Upload-Length": String(content.size), "Upload-Metadata": `filename ${name}` },
    signal,
  });
  const path = (begun.headers.get("Location") ?? "").replace(/^\//, "");
  try {
    await pieces(path, content, tell, signal);
  } catch (error) {
    withdraw(path);
    throw error;
  }
  return path.split("/").at(-1) ?? "";
}

/** @param {string} path @param {Blob} content @param {(sent: number) => void} tell @param {AbortSignal} signal */
async function pieces(path, content, tell, signal) {
  for (let sent = 0, failed = 0; sent < content.size; ) {
    try {
      sent = await piece(path, content.slice(sent, sent + PIECE), sent, (arriving) => tell(sent + arriving), signal);
      failed = 0;
      tell(sent);
    } catch (error) {
      failed += 1;
      if (!(error instanceof Problem) || !isPassing(error) || failed === TRIES) throw error;
      await pause(Math.min(500 * 2 ** failed, LONGEST_WAIT), signal);
      sent = await arrived(path, sent, signal);
    }
  }
}

/** @param {number} milliseconds @param {AbortSignal} signal ends it at once */
function pause(milliseconds, signal) {
  return new Promise((done, failed) => {
    const waiting = setTimeout(done, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(waiting);
      failed(signal.reason);
    });
  });
}

/** Whether it may go well a moment later. @param {Problem} problem */
const isPassing = ({ status }) => status === 0 || status === 409 || status === 423 || status === 429 || status >= 500 && status !== 507;

/**
 * One piece, by XMLHttpRequest: fetch does not tell how far a body is.
 * @param {string} path
 * @param {Blob} content
 * @param {number} offset
 * @param {(arriving: number) => void} tell
 * @param {AbortSignal} signal
 * @returns {Promise<number>} bytes that have arrived in all
 */
function piece(path, content, offset, tell, signal) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("PATCH", address(path));
    const headers = { ...authorization(), ...VERSION, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => tell(event.loaded);
    request.onload = () => (request.status === 204 ? done(Number(request.getResponseHeader("Upload-Offset"))) : failed(problem(request)));
    request.onerror = () => failed(new Problem(0, { detail: "The connection broke." }));
    request.onabort = () => failed(new DOMException("Stopped", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(content);
  });
}

/** @param {XMLHttpRequest} request */
function problem(request) {
  try {
    return new Problem(request.status, JSON.parse(request.responseText));
  } catch {
    return new Problem(request.status, {});
  }
}

/** @param {string} path @param {number} known @param {AbortSignal} signal */
async function arrived(path, known, signal) {
  try {
    return Number((await send("HEAD", path, { headers: VERSION, signal })).headers.get("Upload-Offset"));
  } catch (error) {
    if (error instanceof Problem && isPassing(error)) return known;
    throw error;
  }
}

/** @param {string} path */
const withdraw = (path) => send("DELETE", path, { headers: VERSION }).catch(() => {});
