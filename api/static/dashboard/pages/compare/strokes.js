// How lines of several searches are drawn so that each is seen: by dashes of their own, and wide below narrow where they are equal.

/** By the number of the search, as colours are. */
const DASHES = [undefined, [9, 5], [2, 4], [12, 4, 2, 4], [5, 3], [16, 6], [2, 8], [8, 3, 2, 3, 2, 3]];

/** @param {number} number of the search */
export const dashOf = (number) => DASHES[number % DASHES.length];

/** Pixels: of a line, and how much wider one is for each that lies upon it. */
const WIDTH = 2;
const WIDER = 4;

/** @param {number} above lines that are drawn later and are equal to it */
export const widthOf = (above) => WIDTH + WIDER * above;

/**
 * How many of those behind each in the list are equal to it.
 * @param {string[]} keys equal ones are the same
 */
export const laterOf = (keys) => keys.map((key, place) => keys.slice(place + 1).filter((other) => other === key).length);

/**
 * Those that are equal to others, together.
 * @template {{key: string}} One
 * @param {One[]} ones
 * @returns {One[][]}
 */
export function equals(ones) {
  /** @type {Map<string, One[]>} */
  const groups = new Map();
  for (const one of ones) groups.set(one.key, [...(groups.get(one.key) ?? []), one]);
  return [...groups.values()].filter((group) => group.length > 1);
}

/** "a, b and c". @param {string[]} names */
export const listed = (names) => [names.slice(0, -1).join(", "), names.at(-1)].filter(Boolean).join(" and ");
