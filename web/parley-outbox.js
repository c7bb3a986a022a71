import { backoff } from "./parley-error.js";

const MAX_ATTEMPTS = 6;

/**
 * Messages on their way out. Each room's are sent one after the other, so that they are stored in the order they
 * were written, and an attempt without an answer is repeated with the same id: the server stores it once.
 * Waiting for the connection is not an attempt; after MAX_ATTEMPTS (15 s of refusals, or a minute of silence) a
 * message is reported as failed.
 */
export class Outbox {
  #queues = new Map();
  #send;
  #isReady;
  #report;

  /**
   * @param send    (message) => Promise of the server's ack; rejects with ParleyError
   * @param isReady (room) => whether the room is joined on a live connection
   * @param report  ({room, id, state: "sending" | "sent" | "failed", ...}) => void
   */
  constructor({ send, isReady, report }) {
    this.#send = send;
    this.#isReady = isReady;
    this.#report = report;
  }

  add(message) {
    const queue = this.#queues.get(message.room) ?? { waiting: [], attempt: 0, busy: false, timer: undefined };
    this.#queues.set(message.room, queue);
    queue.waiting.push(message);
    this.#report({ ...message, state: "sending" });
    this.flush(message.room);
  }

  /** Call when the room has become ready. */
  async flush(room) {
    const queue = this.#queues.get(room);
    if (!queue || queue.busy || queue.timer || !this.#isReady(room)) return;
    const message = queue.waiting[0];
    if (!message) {
      this.#queues.delete(room);
      return;
    }
    queue.busy = true;
    try {
      const { seq, ts } = await this.#send(message);
      this.#settle(queue, { ...message, state: "sent", seq, ts });
    } catch (error) {
      this.#afterError(queue, message, error);
    }
    queue.busy = false;
    this.flush(room);
  }

  /** Give up on everything of a room, or of all rooms: each message is reported as failed. */
  abandon(room, error) {
    for (const name of room === undefined ? [...this.#queues.keys()] : [room]) {
      const queue = this.#queues.get(name);
      this.#queues.delete(name);
      clearTimeout(queue?.timer);
      for (const message of queue?.waiting.splice(0) ?? []) this.#report({ ...message, state: "failed", error });
    }
  }

  #afterError(queue, message, error) {
    if (queue.waiting[0] !== message) return;
    const lostConnection = error.temporary && !this.#isReady(message.room);
    if (lostConnection) return;
    if (!error.temporary || queue.attempt + 1 >= MAX_ATTEMPTS) {
      this.#settle(queue, { ...message, state: "failed", error });
      return;
    }
    queue.timer = setTimeout(() => {
      queue.timer = undefined;
      this.flush(message.room);
    }, backoff(queue.attempt++, error.retryAfter));
    this.#report({ ...message, state: "sending", error });
  }

  #settle(queue, outcome) {
    if (queue.waiting[0]?.id === outcome.id) queue.waiting.shift();
    queue.attempt = 0;
    this.#report(outcome);
  }
}
