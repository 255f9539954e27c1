// A value that tells who watches it when it changes: the little that is shared between pages.

import { useEffect, useReducer, useRef } from "./view.js";

/** @template T */
export class Signal {
  /** @param {T} value */
  constructor(value) {
    this.value = value;
    /** @type {Set<() => void>} */
    this.watchers = new Set();
  }

  /** @param {T} value */
  set(value) {
    if (value === this.value) return;
    this.value = value;
    for (const tell of [...this.watchers]) tell();
  }

  /**
   * @param {() => void} tell is called after each change
   * @returns {() => void} ends it
   */
  watch(tell) {
    this.watchers.add(tell);
    return () => this.watchers.delete(tell);
  }
}

/**
 * The value of a signal; the component is drawn again when it changes.
 * @template T
 * @param {Signal<T>} signal
 * @returns {T}
 */
export function useSignal(signal) {
  const [, redraw] = useReducer((/** @type {number} */ count) => count + 1, 0);
  const drawn = useRef(signal.value);
  drawn.current = signal.value;
  useEffect(() => {
    // It may have changed between the drawing and now, when nobody watched yet.
    if (signal.value !== drawn.current) redraw(undefined);
    return signal.watch(() => redraw(undefined));
  }, [signal]);
  return signal.value;
}
