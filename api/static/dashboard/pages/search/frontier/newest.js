// Questions that follow each other faster than they can be answered, as while a line is dragged: the newest is asked, older answers are dropped.

/** Between two questions. Milliseconds; so many a second at most. */
const PAUSE = 50;

/** Questions on the way at once: with more, each would wait for those before it at the service. */
const AT_ONCE = 2;

/** @template Asked, Answer */
export class Newest {
  /**
   * @param {(asked: Asked, signal: AbortSignal) => Promise<Answer>} send
   * @param {(asked: Asked, answer: Answer | null, error: unknown) => void} take gets answers and errors, never one after that of a later question
   */
  constructor(send, take) {
    this.send = send;
    this.take = take;
    /** @type {Asked | null} */
    this.waiting = null;
    this.sent = 0;
    this.taken = 0;
    this.going = 0;
    this.last = -Infinity;
    this.timer = 0;
    this.over = new AbortController();
  }

  /** @param {Asked} asked takes the place of one that was not sent yet */
  ask(asked) {
    this.waiting = asked;
    this.next();
  }

  end() {
    clearTimeout(this.timer);
    this.over.abort();
  }

  next() {
    if (this.waiting === null || this.timer || this.going >= AT_ONCE || this.over.signal.aborted) return;
    const pause = this.last + PAUSE - performance.now();
    if (pause > 0) {
      this.timer = setTimeout(() => {
        this.timer = 0;
        this.next();
      }, pause);
      return;
    }
    const asked = this.waiting;
    this.waiting = null;
    this.run(asked);
  }

  /** @param {Asked} asked */
  async run(asked) {
    const number = (this.sent += 1);
    this.going += 1;
    this.last = performance.now();
    /** @type {[Answer | null, unknown]} */
    const came = await this.send(asked, this.over.signal).then(
      (answer) => [answer, null],
      (error) => [null, error],
    );
    this.going -= 1;
    if (this.over.signal.aborted) return;
    if (number > this.taken) {
      this.taken = number;
      this.take(asked, ...came);
    }
    this.next();
  }
}
