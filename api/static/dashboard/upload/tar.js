// A folder as one archive: a tar (POSIX.1-2001, pax) whose parts are the files themselves, so that nothing is read before it is sent.

/** @typedef {{path: string, file: File}} Entry `path` within the folder, with `/` */

const BLOCK = 512;
const LONGEST = 100;
const encoder = new TextEncoder();

/**
 * @param {Entry[]} entries
 * @returns {Blob}
 */
export function tar(entries) {
  /** @type {BlobPart[]} */
  const parts = [];
  for (const { path, file } of entries) {
    const name = encoder.encode(path);
    if (name.length > LONGEST || name.length !== path.length) add(parts, "pax", "x", record("path", path), 0);
    add(parts, name.length > LONGEST ? `${path.slice(0, 20)}~` : path, "0", file, file.lastModified);
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return new Blob(parts, { type: "application/x-tar" });
}

/**
 * @param {BlobPart[]} parts
 * @param {string} name
 * @param {string} type
 * @param {Blob | Uint8Array<ArrayBuffer>} content
 * @param {number} changed milliseconds
 */
function add(parts, name, type, content, changed) {
  const size = content instanceof Blob ? content.size : content.length;
  parts.push(header(name, type, size, changed), content, new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK));
}

/**
 * @param {string} name
 * @param {string} type
 * @param {number} size
 * @param {number} changed milliseconds
 */
function header(name, type, size, changed) {
  const block = new Uint8Array(BLOCK);
  const put = (/** @type {number} */ at, /** @type {string} */ text, /** @type {number} */ room) =>
    block.set(encoder.encode(text).subarray(0, room), at);
  const octal = (/** @type {number} */ value, /** @type {number} */ digits) => `${value.toString(8).padStart(digits, "0")}\0`;
  put(0, name, LONGEST);
  put(100, octal(0o644, 7), 8);
  put(108, octal(0, 7), 8);
  put(116, octal(0, 7), 8);
  put(124, octal(size, 11), 12);
  put(136, octal(Math.max(0, Math.floor(changed / 1000)), 11), 12);
  put(148, " ".repeat(8), 8);
  put(156, type, 1);
  put(257, "ustar\x0000", 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)} `, 8);
  return block;
}

/**
 * A line of a pax header, which begins with its own length.
 * @param {string} key
 * @param {string} value
 */
function record(key, value) {
  const rest = encoder.encode(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return encoder.encode(`${length} ${key}=${value}\n`);
}
