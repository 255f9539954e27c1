// The same request as a command: for the shell by curl or `dna`, for a program by the client.

import { address } from "../client.js";
import { KINDS } from "./kinds.js";

/** A text as one word of a shell. @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Where the service is, as the page reaches it. */
const base = () => address("").replace(/\/$/, "");

/** Whether a key is needed there: on the machine of the service it is not. */
const isLocal = () => ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

/**
 * @param {import("./kinds.js").Kind} kind
 * @param {unknown} spec as it is sent
 * @returns {[string, string][]} label and text of each
 */
export function commands(kind, spec) {
  const json = JSON.stringify(spec, null, 2);
  return [
    ["curl", curl(kind, json)],
    ["Python", python(kind, spec)],
    ["dna", shell(kind, json)],
  ];
}

/** @param {import("./kinds.js").Kind} kind @param {string} json */
function curl(kind, json) {
  const key = isLocal() ? "" : ` \\\n     -H "authorization: Bearer $DNA_API_KEY"`;
  return `curl -s ${quoted(`${base()}/${KINDS[kind].path}`)} -H 'content-type: application/json'${key} \\\n     -d ${quoted(json)}`;
}

/** @param {import("./kinds.js").Kind} kind @param {unknown} spec */
function python(kind, spec) {
  const key = isLocal() ? "" : ', api_key=os.environ["DNA_API_KEY"]';
  return [
    ...(key ? ["import os", ""] : []),
    "from dna_client import Client",
    "",
    `with Client(${literal(base())}${key}) as client:`,
    `    ${kind} = client.${KINDS[kind].path}.create(${literal(spec, 1)})`,
    `    ${kind} = client.${KINDS[kind].path}.wait(${kind}["id"])`,
    `    print(${kind}["state"])`,
  ].join("\n");
}

/** @param {import("./kinds.js").Kind} kind @param {string} json none of whose lines is the word that ends it */
const shell = (kind, json) => `export DNA_URL=${quoted(base())}\ndna ${kind} create --spec - <<'SPEC'\n${json}\nSPEC`;

/**
 * A JSON value as Python writes it.
 * @param {unknown} value
 * @param {number} [depth]
 * @returns {string}
 */
function literal(value, depth = 0) {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  // What JSON escapes in a text, Python reads the same way.
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = "    ".repeat(depth + 1);
  const items = Array.isArray(value)
    ? value.map((item) => literal(item, depth + 1))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${literal(item, depth + 1)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const line = open + items.join(", ") + close;
  if (line.length < 60 && !line.includes("\n")) return line;
  return `${open}\n${items.map((item) => `${inner}${item},\n`).join("")}${"    ".repeat(depth)}${close}`;
}
