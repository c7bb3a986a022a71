/** What the user writes into the current room, and what they do about what was not sent. */
export class OwnMessages {
  #me;
  #client;
  #current;

  /** @param current () => the room that is shown */
  constructor({ me, client, current }) {
    this.#me = me;
    this.#client = client;
    this.#current = current;
  }

  send(body) {
    this.#client.sendMessage(this.#current().id, body);
  }

  retry(id) {
    const entry = this.#failed(id);
    if (entry) this.#client.sendMessage(this.#current().id, entry.body, id);
  }

  discard(id) {
    const entry = this.#failed(id);
    if (entry) this.#current().timeline.remove(entry);
  }

  #failed(id) {
    const entry = this.#current().timeline.find(this.#me.id, id);
    return entry?.state === "failed" ? entry : undefined;
  }
}
