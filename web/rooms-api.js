import { request } from "./http.js";

const PAGES_MOST = 10;

/** The HTTP API of rooms. Each method throws ParleyError. */
export class RoomsApi {
  #token;

  /** @param token () => the current access token */
  constructor(token) {
    this.#token = token;
  }

  /** The user's private rooms, the first thousand: `{rooms, more}`, each as get() describes it. */
  async list() {
    const rooms = [];
    let more = true;
    for (let page = 0; more && page < PAGES_MOST; page++) {
      const after = rooms.at(-1)?.room;
      const answer = await this.#ask("GET", `/api/rooms${after ? `?after=${after}` : ""}`);
      rooms.push(...answer.rooms);
      more = answer.more && answer.rooms.length > 0;
    }
    return { rooms, more };
  }

  /**
   * One room: `{room, kind, name?, owner?, member_count?, members?, seq?, read?, unread?}`. Of a public one there are no
   * members; of a large one they are missing; and the last three, while the server cannot tell.
   */
  get(room) {
    return this.#ask("GET", `/api/rooms/${room}`);
  }

  createGroup(name, members) {
    return this.#ask("POST", "/api/rooms", { name: name || undefined, members });
  }

  openDirect(user) {
    return this.#ask("POST", "/api/direct", { user });
  }

  rename(room, name) {
    return this.#ask("PATCH", `/api/rooms/${room}`, { name });
  }

  delete(room) {
    return this.#ask("DELETE", `/api/rooms/${room}`);
  }

  invite(room, user) {
    return this.#ask("PUT", `/api/rooms/${room}/members/${user}`);
  }

  /** Somebody, or oneself: leave. */
  remove(room, user) {
    return this.#ask("DELETE", `/api/rooms/${room}/members/${user}`);
  }

  #ask(method, path, body) {
    return request(method, path, { body, token: this.#token() });
  }
}
