const AGAIN_MS = 5000;

/** Asks who is in rooms: one question at a time for each, and where changes come too fast to be told, every 5 s at most. */
export class PresenceAsks {
  #client;
  #changed;
  #asked = new Set();
  #later = new Map();

  constructor({ client, changed }) {
    this.#client = client;
    this.#changed = changed;
  }

  async ask(room) {
    if (this.#asked.has(room)) return;
    this.#asked.add(room);
    try {
      room.presence.onAnswer(await this.#client.presence(room.id));
      this.#changed();
    } catch (error) {
      console.warn(`Who is in ${room.label} was not answered:`, error); // The next join asks again.
    }
    this.#asked.delete(room);
  }

  /** Before long, if `isWanted` then. */
  askLater(room, isWanted) {
    if (this.#later.has(room)) return;
    this.#later.set(room, setTimeout(() => {
      this.#later.delete(room);
      if (isWanted()) this.ask(room);
    }, AGAIN_MS));
  }

  close() {
    for (const timer of this.#later.values()) clearTimeout(timer);
    this.#later.clear();
  }
}
