// Leading to a field, wherever it is folded away.

import { fieldId } from "./context.js";
import { parts } from "./document.js";

/** Opens all that hides an element. @param {Element} element */
export function unfold(element) {
  for (let group = element.closest("details"); group; group = group.parentElement?.closest("details") ?? null) group.open = true;
}

/** Leads to the field, or to the nearest around it that there is. @param {string} pointer */
export function show(pointer) {
  const place = parts(pointer);
  for (let length = place.length; length > 0; length -= 1) {
    const field = document.getElementById(fieldId(place.slice(0, length)));
    if (!field) continue;
    unfold(field);
    field.scrollIntoView({ block: "center" });
    return field.focus();
  }
}
