const REPEAT_MS = 3000;
const IDLE_MS = 5000;

/** Turns keystrokes into few notices: `active` at most every 3 s, inactive when told or after 5 s of rest. */
export class TypingNotices {
  #rooms = new Map();
  #send;

  /** @param send (room, active) => void */
  constructor(send) {
    this.#send = send;
  }

  /** Call on every keystroke. */
  keystroke(room) {
    const now = Date.now();
    const notice = this.#rooms.get(room) ?? { sentAt: -Infinity, idle: undefined };
    this.#rooms.set(room, notice);
    if (now - notice.sentAt >= REPEAT_MS) {
      notice.sentAt = now;
      this.#send(room, true);
    }
    clearTimeout(notice.idle);
    notice.idle = setTimeout(() => this.stop(room), IDLE_MS);
  }

  stop(room) {
    const notice = this.#rooms.get(room);
    if (!notice) return;
    clearTimeout(notice.idle);
    this.#rooms.delete(room);
    this.#send(room, false);
  }

  /** Forget everything without telling anybody: the connection is gone. */
  clear() {
    for (const { idle } of this.#rooms.values()) clearTimeout(idle);
    this.#rooms.clear();
  }
}
