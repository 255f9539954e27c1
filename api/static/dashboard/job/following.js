// A job that is followed: read once with the number of its last event, then kept up to date by the events behind that one. Of what events
// do not tell (networks, warnings, new steps) it is read again, gently, while they go on being applied.

import { get, Problem } from "../client.js";
import { passes } from "../hooks.js";
import { Signal } from "../signal.js";
import { follow } from "../stream.js";
import { apply } from "./apply.js";
import { FINISHED, KINDS } from "./kinds.js";

/** @typedef {import("../stream.js").Message} Message */
/** @typedef {{job: any, at: number, problem: Problem | null}} Known `at`: when that was so, milliseconds by the clock of the page */

/** It is read again at most so often, and this long after what made it needed: more may follow. Milliseconds. */
const PAUSE = 2000;
const SOON = 250;

/** How often it is looked what a job waits for, which no event tells. Milliseconds. */
const LOOK = 5000;

export class Following {
  /** @type {Message[] | null} What has come while it is being read. */
  #since = null;
  /** @type {(() => void) | null} */
  #end = null;
  /** @type {AbortController | null} */
  #reading = null;
  #ended = false;
  /** When it is read again, where that is to be; milliseconds by the clock of the page. */
  #due = 0;
  #timer = 0;
  #told = 0;
  /** Whether nothing is asked of it for now. */
  #paused = false;

  /** @param {import("./kinds.js").Kind} kind @param {string} id @param {Known} [known] what shows until it is read */
  constructor(kind, id, known = { job: null, at: 0, problem: null }) {
    this.kind = kind;
    this.path = `${KINDS[kind].path}/${encodeURIComponent(id)}`;
    /** @type {Signal<Known>} */
    this.now = new Signal(known);
    /** @type {Set<{events: string[], take: (messages: Message[]) => void}>} */
    this.watchers = new Set();
  }

  /** Reads it and follows it. @returns {() => void} ends that */
  start() {
    this.reload();
    return () => {
      this.#ended = true;
      clearTimeout(this.#timer);
      this.#reading?.abort();
      this.#end?.();
    };
  }

  /**
   * @param {string[]} events types of them
   * @param {(messages: Message[]) => void} take gets those that come, in order, each once
   * @returns {() => void} ends it
   */
  watch(events, take) {
    const watcher = { events, take };
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /**
   * Asks for nothing while it is deleted: what was asked in between would find nothing and look like a fault.
   * @returns {() => Promise<void>} goes on, where it was not deleted after all
   */
  pause() {
    this.#paused = true;
    clearTimeout(this.#timer);
    this.#reading?.abort();
    this.#leave();
    return () => {
      this.#paused = false;
      return this.reload();
    };
  }

  /** Reads it anew. */
  reload = async () => {
    if (this.#paused) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#told = Date.now();
    this.#reading?.abort();
    const reading = (this.#reading = new AbortController());
    /** @type {Message[]} */
    const since = (this.#since = []);
    try {
      const read = await get(this.path, {}, reading.signal);
      const newer = since.filter((message) => Number(message.id) > read.last_event);
      this.#know({ job: this.#whole(read) ? newer.reduce(apply, read) : read, problem: null });
    } catch (error) {
      if (reading.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      const stays = passes(error);
      if (!stays) this.#leave();
      this.#know({ job: stays ? this.now.value.job : null, problem: error });
    }
    this.#since = null;
    this.#goOn();
  };

  /** What is known from now on, unless nobody wants to know any more. @param {{job: any, problem: Problem | null}} known */
  #know(known) {
    if (!this.#ended) this.now.set({ ...known, at: Date.now() });
  }

  /** Follows it where that is not done already, and looks again where no event would tell. */
  #goOn() {
    const { job, problem } = this.now.value;
    if (this.#ended) return;
    if (problem && problem.status !== 401 && passes(problem)) this.#again(LOOK);
    if (!job || problem) return;
    if (job.state === "queued" || job.waiting_for) this.#again(LOOK);
    if (!this.#end && !FINISHED.has(job.state)) this.#follow(job.last_event);
  }

  /** It is not there any more, or not for who asks now. */
  #leave() {
    this.#end?.();
    this.#end = null;
  }

  /** @param {number} after */
  #follow(after) {
    const over = () => {
      this.#end = null;
      this.#again(0);
    };
    this.#end = follow(`${this.path}/events`, this.#take, { after, over });
  }

  #take = (/** @type {Message[]} */ messages) => {
    this.#since?.push(...messages);
    const { job, problem } = this.now.value;
    const unknown = messages.filter((message) => Number(message.id) > job.last_event);
    this.#know({ job: this.#whole(job) ? unknown.reduce(apply, job) : { ...job, last_event: Number(messages.at(-1)?.id) }, problem });
    for (const { events, take } of [...this.watchers]) {
      const wanted = messages.filter((message) => events.includes(message.event));
      if (wanted.length) take(wanted);
    }
    const telling = this.#whole(job) ? ["state", "step"] : ["state", "step", "progress"];
    if (messages.some((message) => telling.includes(message.event))) this.#again(Math.max(SOON, this.#told + PAUSE - Date.now()));
  };

  /** Whether its events are of it alone: those of a training of a search tell of the whole search. @param {any} job */
  #whole(job) {
    return !(this.kind === "training" && job.search_id);
  }

  /** Reads it after so many milliseconds, unless that is to be done sooner. @param {number} wait */
  #again(wait) {
    const due = Date.now() + wait;
    if (this.#ended || (this.#timer && this.#due <= due)) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(this.reload, wait);
  }
}
