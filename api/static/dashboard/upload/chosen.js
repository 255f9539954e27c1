// What somebody has dropped or chosen, as one file to send: an archive as it is, folders as a tar of what they hold.

import { tar } from "./tar.js";

/** @typedef {{name: string, filename: string, content: Blob, files: number, folders: [string, number][]}} Chosen `name` for the dataset; `folders` at its top, with how many files each has */

const ARCHIVE = /\.(zip|tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz))$/i;

export class NotImages extends Error {}

/**
 * @param {DataTransfer} dropped
 * @returns {Promise<Chosen>}
 * @throws {NotImages}
 */
export async function ofDrop(dropped) {
  const files = [...dropped.files];
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (!entries.length) return ofFiles(files);
  /** @type {import("./tar.js").Entry[]} */
  const found = [];
  for (const entry of entries) await walk(entry, "", found);
  return pack(found);
}

/**
 * @param {File[]} files of an input, which knows the paths of a folder that was chosen
 * @returns {Chosen}
 * @throws {NotImages}
 */
export const ofFiles = (files) => pack(files.map((file) => ({ path: file.webkitRelativePath || file.name, file })));

/**
 * @param {FileSystemEntry} entry
 * @param {string} above
 * @param {import("./tar.js").Entry[]} found
 */
async function walk(entry, above, found) {
  const path = above + entry.name;
  if (entry.isFile) {
    const file = await new Promise((done, failed) => /** @type {FileSystemFileEntry} */ (entry).file(done, failed));
    found.push({ path, file });
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    // A reader gives a hundred at a time, and none at the end.
    const some = await new Promise((/** @type {(entries: FileSystemEntry[]) => void} */ done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const inner of some) await walk(inner, `${path}/`, found);
  }
}

/**
 * @param {import("./tar.js").Entry[]} found
 * @returns {Chosen}
 */
function pack(found) {
  if (!found.length) throw new NotImages("There are no files in it.");
  const [{ file }] = found;
  if (found.every(({ file }) => file.size === 0)) throw new NotImages("What you have chosen is empty.");
  if (found.length === 1 && ARCHIVE.test(file.name)) {
    return { name: nameable(file.name.replace(ARCHIVE, "")), filename: file.name, content: file, files: 1, folders: [] };
  }
  if (found.every(({ path }) => !path.includes("/"))) {
    throw new NotImages("These files are in no folder. Put the images of each class into a folder of its own, and send the folder around them, or a zip or tar of it.");
  }
  const tops = new Set(found.map(({ path }) => path.split("/")[0]));
  const name = tops.size === 1 ? [...tops][0] : "images";
  // Of a single folder what it holds counts, not what it is called.
  const inner = tops.size === 1 ? found.map(({ path, file }) => ({ path: path.slice(name.length + 1), file })) : found;
  const kept = inner.filter(({ path }) => !path.split("/").some((part) => part.startsWith(".")));
  if (!kept.length) throw new NotImages("There are only hidden files in it.");
  return { name: nameable(name), filename: `${name}.tar`, content: tar(kept), files: kept.length, folders: folders(kept) };
}

/** What the service takes for a dataset's name, as a pattern of an input. */
export const NAME = "[A-Za-z0-9][A-Za-z0-9._\\-]{0,99}";

/** The nearest name that the service takes. @param {string} text */
function nameable(text) {
  const name = text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/[^A-Za-z0-9._-]+/g, "-");
  return name.replace(/^[^A-Za-z0-9]+|-+$/g, "").slice(0, 100) || "images";
}

/** @param {import("./tar.js").Entry[]} entries @returns {[string, number][]} */
function folders(entries) {
  const counts = new Map();
  for (const { path } of entries) {
    const top = path.split("/")[0];
    counts.set(top, (counts.get(top) ?? 0) + 1);
  }
  return [...counts];
}
