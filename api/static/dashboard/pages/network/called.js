// What networks are called: those of searches by what they are to them, until somebody names them.

import { count, plain } from "../../format.js";

/** Those that were published keep the names that they are known by. */
export const PUBLISHED = ["dna-a", "dna-b", "dna-c", "dna-d"];

/** @type {Record<string, (network: any) => string>} */
const OF_SEARCH = {
  winner: ({ search }) => `Winner of ${search}`,
  control: ({ search }) => `Control of ${search}`,
  selected: ({ search, flops }) => `Selected from ${search}, ${count(flops)} FLOPs`,
  reference: ({ search, name }) => `${name} of ${search}`,
};

/** A standard network has the name of its model in every search that trains it. @param {any} network */
export const title = (network) => plain(called(network));

/** @param {any} network @returns {string} */
const called = (network) =>
  (network.role !== "reference" && network.name) || (network.search && OF_SEARCH[network.role]?.(network)) || network.name || `Network ${network.id.slice(-8)}`;

/** What the network of a training is called; of one that was deleted since, what it was in its search. @param {any} training */
export const titleOf = ({ architecture, network, search_id: search }) =>
  architecture ? title(architecture) : search ? `${network}, deleted since` : "deleted since";

/**
 * What the list of networks is asked for by a text of a title as it is typed: "winner of d" is those of a role, of searches with a part in
 * their name.
 * @param {string} text
 * @returns {import("../../client.js").Query}
 */
export function meant(text) {
  const [, role, part] = /^(winner|control|selected)(?:\s+(?:of|from)(?:\s+(.*))?)?$/i.exec(text.trim()) ?? [];
  return role ? { role: role.toLowerCase(), q: part?.split(", ")[0] } : { q: text };
}
