// What the key of whoever writes a spec may ask for: a form offers no more than that.

import { upTo } from "../job/priority.js";

/**
 * @param {any} schema of a spec
 * @param {any} limits of the key
 * @returns {any} the same with no other priorities than the key may give, and the default that holds for it
 */
export function limited(schema, { priority: most }) {
  const { priority } = schema.properties;
  const may = upTo(most);
  if (may.includes("high")) return schema;
  const byDefault = may.includes(priority.default) ? priority.default : most;
  const described = `${priority.description} Your key may give ${most} at most.`;
  return { ...schema, properties: { ...schema.properties, priority: { ...priority, enum: may, default: byDefault, description: described } } };
}
