// A request that asks for a job, in four languages: JSON, curl, Python, the command line. Each asks for the same.

import { caller } from "./caller.js";
import { address } from "./client.js";
import { isObject } from "./form/document.js";
import { key } from "./session.js";

/** @typedef {{kind: string, one: string, method: string, options: Record<string, string>}} Words of a kind of job: plural, singular, how the client makes one, its options by place */

const COMMON = {
  dataset: "--dataset",
  name: "--name",
  input_size: "--input-size",
  resize: "--resize",
  background: "--background",
  int8_loss: "--int8-loss",
  flip: "--flip/--no-flip",
  seed: "--seed",
  priority: "--priority",
  from: "--from",
};

const OF_TRAINING = {
  ...COMMON,
  architecture: "",
  recipe: "--recipe",
  epochs: "--epochs",
  batch_size: "--batch-size",
  learning_rate: "--learning-rate",
  weight_decay: "--weight-decay",
  label_smoothing: "--label-smoothing",
  augment: "--augment/--no-augment",
  sampling: "--sampling",
  devices: "--devices",
  start: "--start",
  "start.training": "--start-from",
  "start.head": "--head",
  backbone_learning_rate: "--backbone-learning-rate",
  head_epochs: "--head-epochs",
  "early_stopping.patience": "--patience",
  "distill.weight": "--teacher-weight",
  "distill.temperature": "--temperature",
};

/** @type {Record<string, Words>} */
const WORDS = {
  searches: {
    kind: "searches",
    one: "search",
    method: "create_search",
    options: {
      ...COMMON,
      "teacher.model": "--teacher",
      "teacher.weights": "--weights",
      "teacher.from": "--teacher-from",
      "teacher.epochs": "--teacher-epochs",
      "teacher.learning_rate": "--teacher-learning-rate",
      "teacher.input_size": "--teacher-input-size",
      space: "--space",
      "budget.flops": "--flops",
      "budget.params": "--params",
      "budget.latency_ms": "--latency-ms",
      "training.epochs": "--epochs",
      "training.learning_rate": "--distill-learning-rate",
      "select.finalists": "--finalists",
      "retrain.start": "--start",
      "retrain.recipe": "--recipe",
      "retrain.epochs": "--retrain-epochs",
      "retrain.learning_rate": "--learning-rate",
      "retrain.sampling": "--sampling",
      "retrain.devices": "--devices",
      "retrain.early_stopping.patience": "--patience",
      "retrain.distill.weight": "--teacher-weight",
      "retrain.distill.temperature": "--temperature",
    },
  },
  trainings: { kind: "trainings", one: "training", method: "trainings.create", options: OF_TRAINING },
  tunings: {
    kind: "tunings",
    one: "tuning",
    method: "tunings.create",
    options: { ...OF_TRAINING, trials: "--trials", search: "--search", pruner: "--pruner", images: "--images" },
  },
};

/** Where the service is, as the page reaches it. */
const base = () => address("").replace(/\/$/, "");

/** Whether who asks by a program needs a key. */
const isKeyed = () => caller.value?.key_needed ?? key.value !== null;

/**
 * @param {string} kind the path of its list
 * @param {any} body
 * @returns {Record<"JSON" | "curl" | "Python" | "dna", string>}
 */
export function inWords(kind, body) {
  const words = WORDS[kind];
  return { JSON: json(body), curl: curl(words, body), Python: python(words, body), dna: command(words, body) };
}

/** @param {any} body */
const json = (body) => JSON.stringify(body, null, 2);

/** One word of a shell, whatever is in it. @param {string} text */
const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** @param {Words} words @param {any} body */
function curl(words, body) {
  const key = isKeyed() ? ` \\\n  -H "authorization: Bearer $DNA_API_KEY"` : "";
  return `curl -s ${quoted(`${base()}/${words.kind}`)} -H 'content-type: application/json'${key} \\\n  -d '${json(body).replaceAll("'", "'\\''")}'`;
}

/** @param {Words} words @param {any} body */
function python(words, body) {
  const key = isKeyed() ? "  # the key is read from DNA_API_KEY" : "";
  return `from dna_client import Client

with Client(${JSON.stringify(base())}) as client:${key}
    ${words.one} = client.${words.method}(${literal(body, "    ")})
    print(${words.one}["id"])`;
}

/** A value as Python writes it; texts of JSON are texts there too. @param {any} value @param {string} indent @returns {string} */
function literal(value, indent) {
  const deeper = `${indent}    `;
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, deeper)).join(", ")}]`;
  if (isObject(value)) {
    const fields = Object.entries(value).map(([name, inner]) => `${deeper}${JSON.stringify(name)}: ${literal(inner, deeper)},\n`);
    return fields.length ? `{\n${fields.join("")}${indent}}` : "{}";
  }
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return JSON.stringify(value);
}

/** @param {Words} words @param {any} body */
function command(words, body) {
  const begin = `dna ${words.one} create`;
  const options = flags(words, body);
  if (options) return [begin, ...options, `--url ${quoted(base())}`].join(" \\\n  ");
  const file = words.kind === "searches" ? "-" : "--spec -";
  return `${begin} ${file} --url ${quoted(base())} <<'END'\n${json(body)}\nEND`;
}

/** The request as options; null where it has what there is no option for. @param {Words} words @param {any} body @returns {string[] | null} */
function flags(words, body) {
  /** @type {string[]} */
  const found = [];
  for (const [path, value] of leaves(body, "")) {
    const option = words.options[path];
    if (path.startsWith("labels.") && typeof value === "string" && !path.includes("=")) found.push(`--label ${quoted(`${path.slice(7)}=${value}`)}`);
    else if (path === "retrain.references" && value.every((/** @type {any} */ model) => typeof model === "string")) found.push(...value.map((/** @type {string} */ model) => `--reference ${quoted(model)}`));
    else if (option === undefined || value === null || typeof value === "object" || String(value) === "" || isAmbiguous(path, value)) return null;
    else found.push(flag(option, value));
  }
  return found;
}

/** What an option would read as something else: a file, a second option. @param {string} path @param {any} value */
const isAmbiguous = (path, value) => typeof value === "string" && ((["space", "architecture"].includes(path) && (value.endsWith(".json") || value.startsWith("-"))) || (path === "search" && value.includes("=")));

/** @param {string} option @param {any} value */
function flag(option, value) {
  const [on, off] = option.split("/");
  if (off) return value ? on : off;
  if (!option) return quoted(String(value));
  return `${option}${String(value).startsWith("-") ? "=" : " "}${quoted(String(value))}`;
}

/** @param {any} value @param {string} path @returns {[string, any][]} values by dotted path */
function leaves(value, path) {
  if (!isObject(value) || !Object.keys(value).length) return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, path ? `${path}.${name}` : name));
}
