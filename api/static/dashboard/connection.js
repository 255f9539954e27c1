// Whether the service answers. Where it does not, it is asked until it does, and who watches is told.

import { Signal } from "./signal.js";

/** How long it counts as away at least, and where it goes away again soon after it was back. Milliseconds. */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 10_000;

/** What a proxy answers for a service that is away. */
const AWAY = [502, 504];

/** @type {Signal<boolean>} */
export const answering = new Signal(true);

/** When it went away, when it was back, and how long it counts as away at least: all that shows is read again when it is back. */
let lost = 0;
let back = -Infinity;
let pause = FIRST_WAIT;

/**
 * Takes note of how a request ended.
 * @param {number | null} status of the answer; null where none came
 * @returns {boolean} whether the service has answered
 */
export function heard(status) {
  const there = status !== null && !AWAY.includes(status);
  if (there) {
    if (!answering.value && Date.now() - lost >= pause) found();
  } else if (answering.value) {
    lost = Date.now();
    pause = lost - back < LONGEST_WAIT ? Math.min(2 * pause, LONGEST_WAIT) : FIRST_WAIT;
    answering.set(false);
    askUntilItAnswers();
  }
  return there;
}

function found() {
  back = Date.now();
  answering.set(true);
}

async function askUntilItAnswers() {
  const since = lost;
  for (let wait = pause; !answering.value && lost === since; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    await new Promise((done) => setTimeout(done, wait));
    if (answering.value || lost !== since) return; // It was back meanwhile, and another asks where it was lost again.
    const signal = AbortSignal.timeout(LONGEST_WAIT);
    const answer = await fetch(new URL("healthz", document.baseURI), { signal }).catch(() => null);
    if (answer?.ok && !answering.value) found();
  }
}
