// What time it is at the service. Every time that shows is by its clock; that of a person's machine may be minutes or days off.

/** So much the two may differ before it is heeded: answers are under way for a while, and their times are whole seconds. Milliseconds. */
const ALIKE = 3000;

/** By how much the service's clock is ahead. Milliseconds. */
let ahead = 0;

/** Takes note of when the service has answered. @param {string | null} date as HTTP has it */
export function told(date) {
  const time = Date.parse(date ?? "");
  if (Number.isNaN(time)) return;
  const found = time + 500 - Date.now();
  ahead = Math.abs(found) > ALIKE ? found : 0;
}

export const now = () => Date.now() + ahead;
