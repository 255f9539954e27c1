// Whether the service answers. Where it does not, it is asked until it does, and who watches is told.

import { Signal } from "./signal.js";

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 10_000;

/** What a proxy answers for a service that is away. */
const AWAY = [502, 504];

/** @type {Signal<boolean>} */
export const answering = new Signal(true);

/**
 * Takes note of how a request ended.
 * @param {number | null} status of the answer; null where none came
 * @returns {boolean} whether the service has answered
 */
export function heard(status) {
  const there = status !== null && !AWAY.includes(status);
  if (there) answering.set(true);
  else if (answering.value) {
    answering.set(false);
    askUntilItAnswers();
  }
  return there;
}

async function askUntilItAnswers() {
  for (let wait = FIRST_WAIT; !answering.value; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    await new Promise((done) => setTimeout(done, wait));
    if (answering.value) return;
    const answer = await fetch(new URL("healthz", document.baseURI)).catch(() => null);
    if (answer?.ok) answering.set(true);
  }
}
