/**
 * One room's messages, each once, in order: those with a `seq` ascending, then our own unconfirmed ones as written.
 * Holds a contiguous stretch; what is older than it is fetched page by page.
 */
export class Timeline {
  #entries = [];
  #byKey = new Map();

  get entries() {
    return this.#entries;
  }

  /** The lowest seq held, or undefined. */
  get oldestSeq() {
    return this.#entries[0]?.seq;
  }

  /** The highest seq held, or undefined. */
  get newestSeq() {
    return this.#entries.findLast(({ seq }) => seq !== undefined)?.seq;
  }

  /** A message from the server, live or from history. Returns whether it was not known before. */
  add({ id, from, seq, ts, body }) {
    return this.#put({ id, from, seq, ts, body, state: "stored" });
  }

  /** What became of a message of ours. A stored message stays stored, whatever is said later. */
  report({ id, from, seq, ts = Date.now(), body, state, error }) {
    const known = this.#byKey.get(key(from, id));
    if (known?.seq !== undefined) return;
    this.#put({ id, from, seq, ts: seq === undefined ? (known?.ts ?? ts) : ts, body, state, error });
  }

  /** Somebody by their id, as they signed last. */
  authorOf(id) {
    return this.#entries.findLast(({ from }) => from.id === id)?.from;
  }

  find(fromId, id) {
    return this.#byKey.get(`${fromId} ${id}`);
  }

  remove(entry) {
    this.#byKey.delete(entry.key);
    this.#entries = this.#entries.filter((other) => other !== entry);
  }

  /** Keep only what came after `seq`, and what is still on its way. */
  dropThrough(seq) {
    this.#keep((entry) => entry.seq === undefined || entry.seq > seq);
  }

  /** Keep the newest `count`. Returns whether any were dropped. */
  trim(count) {
    const cut = this.#entries.at(-count)?.seq;
    if (this.#entries.length <= count || cut === undefined) return false;
    this.dropThrough(cut - 1);
    return true;
  }

  #keep(wanted) {
    for (const entry of this.#entries) if (!wanted(entry)) this.#byKey.delete(entry.key);
    this.#entries = this.#entries.filter(wanted);
  }

  #put(entry) {
    entry.key = key(entry.from, entry.id);
    const known = this.#byKey.get(entry.key);
    if (known && known.seq === entry.seq) {
      Object.assign(known, entry);
      return false;
    }
    if (known) this.remove(known);
    this.#byKey.set(entry.key, entry);
    let at = this.#entries.length;
    if (entry.seq !== undefined) {
      while (at > 0 && (this.#entries[at - 1].seq === undefined || this.#entries[at - 1].seq > entry.seq)) at--;
    }
    this.#entries.splice(at, 0, entry);
    return !known;
  }
}

function key(from, id) {
  return `${from.id} ${id}`;
}
