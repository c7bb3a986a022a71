import { randomId } from "./parley-id.js";

const ANSWER_MS = 300;
const WAIT_MS = 20_000; // longer than a request takes

/**
 * Tabs do something one after the other, and each asks the others before it does, who may have done it already.
 *
 * Web Locks keep the turns. Where there are none (plain http) the tabs agree by themselves: of those who ask at the
 * same time the one with the lowest id goes first, and who is at it says so.
 */
export class Turns {
  #name;
  #tell;
  #tab = randomId();
  /** undefined | asking | working */
  #state;
  #wake = () => {};

  /** @param tell (message) => void: to the other tabs, which hand it to onMessage(), unless they answer an `ask` */
  constructor(name, tell) {
    this.#name = name;
    this.#tell = tell;
  }

  /** Do `work` when it is our turn, unless `isDone()`. Throws what `work` throws. */
  async take(isDone, work) {
    await this.#alone(async () => {
      while (!isDone()) {
        const isOurs = await this.#ask();
        if (isDone()) return;
        if (!isOurs) {
          await this.#pause(WAIT_MS);
          continue;
        }
        this.#state = "working";
        try {
          await work();
        } finally {
          this.#state = undefined;
        }
        return;
      }
    });
  }

  /** What others wait for is there, or not needed any more. */
  settle() {
    this.#wake();
  }

  onMessage({ type, tab }) {
    if (type === "ask" && tab) {
      if (this.#state === "working" || (this.#state === "asking" && this.#tab < tab)) this.#tell({ type: "busy", tab });
      else this.#yield();
    } else if (type === "busy" && tab === this.#tab) this.#yield();
  }

  /** Whether nobody else is at it, or goes first. */
  async #ask() {
    this.#state = "asking";
    this.#tell({ type: "ask", tab: this.#tab });
    await this.#pause(ANSWER_MS);
    const isOurs = this.#state === "asking";
    this.#state = undefined;
    return isOurs;
  }

  #yield() {
    if (this.#state === "asking") this.#state = undefined;
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, milliseconds);
    });
  }

  async #alone(work) {
    if (!navigator.locks) {
      await work();
      return;
    }
    let isOurs = false;
    try {
      await navigator.locks.request(this.#name, () => {
        isOurs = true;
        return work();
      });
    } catch (error) {
      if (isOurs) throw error;
      await work(); // A browser that refuses storage refuses locks.
    }
  }
}
