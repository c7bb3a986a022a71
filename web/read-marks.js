import { backoff } from "./parley-error.js";

const EVERY_MS = 1000;
const WORTH_REPEATING = new Set(["unavailable", "rate_limited", "not_joined"]);

/** Tells the server how far rooms have been read: once a second at most, the newest of each room alone, until it knows. */
export class ReadMarks {
  #client;
  #pending = new Map();
  #timer;
  #failures = 0;

  constructor(client) {
    this.#client = client;
  }

  mark(room, seq) {
    this.#pending.set(room, Math.max(seq, this.#pending.get(room) ?? 0));
    if (!this.#timer) this.#send();
  }

  forget(room) {
    this.#pending.delete(room);
  }

  close() {
    clearTimeout(this.#timer);
    this.#pending.clear();
  }

  async #send() {
    const marks = [...this.#pending];
    this.#pending.clear();
    this.#wait(EVERY_MS);
    const sent = await Promise.all(marks.map(([room, seq]) => this.#sendOne(room, seq)));
    this.#failures = sent.every(Boolean) ? 0 : this.#failures + 1;
    if (this.#failures) this.#wait(backoff(this.#failures));
  }

  async #sendOne(room, seq) {
    try {
      await this.#client.markRead(room, seq);
    } catch (error) {
      if (!WORTH_REPEATING.has(error.code)) return true;
      this.#pending.set(room, Math.max(seq, this.#pending.get(room) ?? 0));
      return false;
    }
    return true;
  }

  #wait(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#pending.size) this.#send();
    }, milliseconds);
  }
}
