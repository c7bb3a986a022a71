import { backoff } from "./parley-error.js";

/**
 * The rooms that a client wants to be in. Each is joined once per connection, again with `after: <last seq seen>` on
 * every further one, and every message is handed on once, in order.
 */
export class JoinedRooms {
  #rooms = new Map();
  #connection;
  #ask;
  #emit;
  #opened;

  /**
   * @param connection () => what is different for each live connection, undefined without one
   * @param ask        (payload) => Promise of the server's answer to `join`; rejects with ParleyError
   * @param emit       (name, detail) => void: joined, refused, message, gap
   * @param opened     (room) => void: messages to it can be sent now
   */
  constructor({ connection, ask, emit, opened }) {
    this.#connection = connection;
    this.#ask = ask;
    this.#emit = emit;
    this.#opened = opened;
  }

  has(room) {
    return this.#rooms.has(room);
  }

  isJoined(room) {
    return Boolean(this.#rooms.get(room)?.joined);
  }

  add(name) {
    if (this.#rooms.has(name)) return;
    this.#rooms.set(name, { lastSeq: undefined, opened: false, joined: false, joining: undefined });
    this.join(name);
  }

  /** Returns whether it was there. */
  remove(name) {
    return this.#rooms.delete(name);
  }

  clear() {
    this.#rooms.clear();
  }

  onConnected() {
    for (const name of this.#rooms.keys()) this.join(name);
  }

  onDisconnected() {
    for (const room of this.#rooms.values()) room.joined = false;
  }

  onMessage(message) {
    const room = this.#rooms.get(message.room);
    if (!room || message.seq <= room.lastSeq) return;
    if (message.prev > room.lastSeq) this.#emit("gap", { room: message.room, after: room.lastSeq });
    room.lastSeq = message.seq;
    this.#emit("message", message);
  }

  /** One loop per room and connection: a newer connection starts its own and this one ends. */
  async join(name) {
    const room = this.#rooms.get(name);
    const connection = this.#connection();
    if (!room || !connection || room.joining === connection) return;
    const current = () => this.#connection() === connection && this.#rooms.get(name) === room;
    room.joining = connection;
    for (let attempt = 0; current(); attempt++) {
      try {
        const after = room.opened ? room.lastSeq : undefined;
        const { seq, truncated } = await this.#ask({ room: name, after });
        if (current()) this.#onJoined(name, room, { seq, truncated, after });
        break;
      } catch (error) {
        if (!current()) break;
        if (!error.temporary) {
          this.#rooms.delete(name);
          this.#emit("refused", { room: name, error });
        } else await new Promise((resume) => setTimeout(resume, backoff(attempt, error.retryAfter)));
      }
    }
    if (current()) room.joining = undefined;
  }

  #onJoined(name, room, { seq, truncated, after }) {
    const first = !room.opened;
    if (truncated) this.#emit("gap", { room: name, after });
    if (first) room.lastSeq = Math.max(seq, room.lastSeq ?? 0);
    room.opened = true;
    room.joined = true;
    this.#emit("joined", { room: name, seq, first });
    this.#opened(name);
  }
}
