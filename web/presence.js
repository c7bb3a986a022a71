/** Who is in a room at the moment, as far as we were told. */
export class Presence {
  /** How many there are in all: in a large room not all are listed. */
  count = 0;
  /** Whether the server was asked since we joined. */
  known = false;
  #names = new Map();

  has(id) {
    return this.#names.has(id);
  }

  /** Those who are listed: `[{id, display_name}]`. */
  get members() {
    return Array.from(this.#names, ([id, display_name]) => ({ id, display_name }));
  }

  /** The answer to the question who is there. */
  onAnswer({ members, count }) {
    this.#names = new Map(members.map(({ id, display_name }) => [id, display_name]));
    this.count = count ?? members.length;
    this.known = true;
  }

  /** A `presence` event. Returns whether the list is not to be trusted any more: ask again. */
  onChange({ user, display_name, state, count, changes, truncated }) {
    if (user === undefined) {
      for (const change of changes) this.#change(change);
      this.count = count;
      return Boolean(truncated);
    }
    const wasCounted = this.#names.has(user) || (state === "offline" && this.count > this.#names.size);
    this.#change({ user, display_name, state });
    if (state === "online" && !wasCounted) this.count++;
    if (state === "offline" && wasCounted) this.count--;
    return false;
  }

  #change({ user, display_name, state }) {
    if (state === "online") this.#names.set(user, display_name);
    else this.#names.delete(user);
  }
}
