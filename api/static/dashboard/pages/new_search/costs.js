// Costs as people write them.

const FACTORS = /** @type {Record<string, number>} */ ({ k: 1e3, m: 1e6, g: 1e9, b: 1e9 });

/** What a cost that was written means; null where it means none. @param {unknown} written */
export function costValue(written) {
  if (typeof written === "number") return written;
  const found = /^(\d[\d_]*(?:\.\d+)?(?:e\+?\d{1,2})?) ?([kmgb])?$/i.exec(String(written ?? "").trim());
  return found && Number(found[1].replaceAll("_", "")) * (FACTORS[(found[2] ?? "").toLowerCase()] ?? 1);
}

/**
 * A cost in three digits, "1.05 M", but never beyond the range, where no network would be.
 * @param {number} value @param {[number, number]} [range]
 */
export function readable(value, range) {
  const step = Math.min(Math.max(Math.floor(Math.log10(Math.max(value, 1)) / 3), 0), 3);
  const text = `${Number((value / 1000 ** step).toPrecision(3))}${["", " k", " M", " G"][step]}`;
  const meant = costValue(text) ?? value;
  if (range && meant < range[0]) return String(range[0]);
  return range && meant > range[1] ? String(range[1]) : text;
}
