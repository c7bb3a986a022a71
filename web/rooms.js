import { backoff } from "./parley-error.js";
import { Room } from "./room.js";

/** Leaves places for public rooms: a connection may be in 500. */
const PRIVATE_MOST = 400;
const COUNT_ATTEMPTS = 4;
const ORDER = ["public", "group", "direct"];
const LOOK_AGAIN_MS = 15_000;
const pause = (milliseconds) => new Promise((resume) => setTimeout(resume, milliseconds));
const byTitle = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** The rooms of this page: the user's private ones, as the server lists them, and the public ones that are open here. */
export class Rooms {
  #rooms = new Map();
  #me;
  #client;
  #api;
  #changed;
  #onLost;
  #listing = 0;
  #lookedAt = 0;

  /**
   * @param changed () => void: after every change
   * @param onLost  (room) => void: the user is not a member any more, since some time that we were away
   */
  constructor({ me, client, api, changed, onLost }) {
    this.#me = me;
    this.#client = client;
    this.#api = api;
    this.#changed = changed;
    this.#onLost = onLost;
  }

  get(id) {
    return this.#rooms.get(id);
  }

  /** Public ones first, then groups, then direct conversations, each by name: nothing moves while it is read. */
  get all() {
    const order = (room) => ORDER.indexOf(room.kind);
    return [...this.#rooms.values()].sort((a, b) => order(a) - order(b) || byTitle.compare(a.title, b.title));
  }

  get publicIds() {
    return [...this.#rooms.values()].filter(({ kind }) => kind === "public").map(({ id }) => id);
  }

  /** The room, which is joined from now on. */
  open(id) {
    const room = this.#rooms.get(id) ?? new Room(id, this.#me, this.#client, this.#changed);
    this.#rooms.set(id, room);
    if (room.status === "refused") room.status = "joining";
    this.#client.join(id);
    return room;
  }

  /** A private room, as the server describes it. */
  add(info) {
    const isNew = !this.#rooms.has(info.room);
    const room = this.#rooms.get(info.room) ?? new Room(info.room, this.#me, this.#client, this.#changed);
    this.#rooms.set(info.room, room);
    if (isNew && this.#rooms.size <= PRIVATE_MOST) this.#client.join(info.room);
    if (room.onInfo(info)) this.refresh(info.room);
    return room;
  }

  remove(id) {
    this.#rooms.delete(id);
    this.#client.leave(id);
    this.#changed();
  }

  /** Once more what the server knows of all private rooms: while there was no connection, everything may have changed. */
  async list() {
    const listing = ++this.#listing;
    this.#lookedAt = performance.now();
    const known = [...this.#rooms.values()].filter(({ info }) => info);
    for (let attempt = 0; listing === this.#listing; attempt++) {
      try {
        const found = await this.#api.list();
        if (listing !== this.#listing) return;
        for (const info of found.rooms) this.add(info);
        const stays = new Set(found.rooms.map(({ room }) => room));
        const lost = known.filter((room) => !stays.has(room.id) && this.#rooms.get(room.id) === room);
        if (!found.more) lost.forEach(this.#onLost);
        return;
      } catch (error) {
        if (!error.temporary) {
          console.warn("Private rooms cannot be listed:", error);
          return;
        }
        await pause(backoff(attempt, error.retryAfter));
      }
    }
  }

  /** Somebody looks at the page again: a gateway that was cut off from the others was not told what was read elsewhere. */
  lookAgain() {
    if (performance.now() - this.#lookedAt < LOOK_AGAIN_MS) return;
    this.list();
    for (const id of this.publicIds) this.refresh(id);
  }

  /** What the server says of one room, and how much of it is unread. */
  async refresh(id) {
    const room = this.#rooms.get(id);
    for (let attempt = 0; attempt < COUNT_ATTEMPTS && room && this.#rooms.get(id) === room; attempt++) {
      try {
        if (!room.onInfo(await this.#api.get(id))) return;
        await pause(backoff(attempt));
      } catch (error) {
        if (!error.temporary) return;
        await pause(backoff(attempt, error.retryAfter));
      }
    }
  }

  onJoined(room, { seq, first }) {
    room.onJoined({ seq, first });
    if (room.kind === "public" || (first && seq > room.reading.countedThrough)) this.refresh(room.id);
  }

  close() {
    this.#listing++;
    this.#rooms.clear();
  }
}
