import { io } from "./vendor/socket.io.esm.min.js";
import { ParleyError, backoff } from "./parley-error.js";
import { randomId } from "./parley-id.js";
import { Outbox } from "./parley-outbox.js";
import { TypingNotices } from "./parley-typing.js";

const ACK_TIMEOUT_MS = 10_000;
const JOIN_TIMEOUT_MS = 45_000; // a join is answered once all that was missed is told: see RESUME_SECONDS
const ENDING_CODES = new Set(["unauthorized", "expired"]);

/**
 * One user's connection to a Parley gateway. Needs no DOM; copy the parley-*.js files into your own page.
 *
 * Each message of a joined room is delivered once, in the order of `seq`, across reconnects and gateways.
 * Events (CustomEvent, data in `detail`):
 *   state    {state}: connecting | connected | reconnecting | offline
 *   session  {user, session, gateway, expires_in}
 *   joined   {room, seq, first}       `first`: nothing is known of the room yet; page back from `seq` with history()
 *   refused  {room, error}            the room cannot be joined, or is no longer ours
 *   message  {room, seq, prev, id, from, body, data?, ts}
 *   gap      {room, after}            messages between `after` and the next one were not delivered; page with history()
 *   delivery {room, id, body, state: sending | sent | failed, seq?, ts?, error?}      of own messages
 *   typing   {room, user, active}
 *   expiring {expires_in}             get a new token and hand it to refresh()
 *   ended    {code, message}          the server wants no more of this session; connect() again with another token
 */
export class ParleyClient extends EventTarget {
  #token;
  #socket;
  #rooms = new Map();
  #outbox;
  #typing;
  #retry = { timer: undefined, attempt: 0 };
  #state = "connecting";
  #teardown = new AbortController();

  /** @param token () => the current access token, asked for at each (re)connect
   *  @param url   the gateway's origin; the page's own by default */
  constructor({ token, url }) {
    super();
    this.#token = token;
    this.#outbox = new Outbox({
      send: (message) => this.#sendOnce(message),
      isReady: (room) => this.#socket.connected && Boolean(this.#rooms.get(room)?.joined),
      report: (outcome) => this.#emit("delivery", outcome),
    });
    this.#typing = new TypingNotices((room, active) => this.#socket.volatile.emit("typing", { room, active }));
    // WebSocket first: a gateway may offer nothing else, and it needs no sticky sessions. Polling if a proxy eats it.
    const transports = { transports: ["websocket", "polling"], tryAllTransports: true };
    const reconnection = { reconnectionDelay: 500, reconnectionDelayMax: 8000, randomizationFactor: 0.5 };
    const auth = (callback) => callback({ token: this.#token() });
    this.#socket = io(url, { auth, ...transports, ...reconnection, autoConnect: false, forceNew: true });
    this.#listen();
  }

  get state() {
    const unplugged = globalThis.navigator?.onLine === false && this.#state !== "connected";
    return unplugged ? "offline" : this.#state;
  }

  connect() {
    this.#socket.connect();
  }

  close() {
    this.#teardown.abort();
    clearTimeout(this.#retry.timer);
    this.#typing.clear();
    this.#rooms.clear();
    this.#socket.disconnect();
  }

  /** Join now and after every reconnect, until leave(). The answer comes as `joined` or `refused`. */
  join(room) {
    if (this.#rooms.has(room)) return;
    this.#rooms.set(room, { lastSeq: undefined, opened: false, joined: false, joining: undefined });
    this.#join(room);
  }

  leave(room) {
    if (!this.#rooms.delete(room)) return;
    this.#typing.stop(room);
    this.#outbox.abandon(room, new ParleyError({ code: "not_joined", message: "You left the room." }));
    this.#request("leave", { room }).catch(() => {});
  }

  /** One page of a room: `{messages, more}`. Rejects with ParleyError. */
  history(room, { before, after, limit } = {}) {
    return this.#request("history", { room, before, after, limit });
  }

  /** Returns the id at once; `delivery` events tell the rest. Give the id of a failed message to send it again. */
  sendMessage(room, body, id = randomId()) {
    this.#typing.stop(room);
    this.#outbox.add({ room, id, body });
    return id;
  }

  /** Call on every keystroke. */
  typing(room) {
    if (this.#rooms.get(room)?.joined) this.#typing.keystroke(room);
  }

  stopTyping(room) {
    this.#typing.stop(room);
  }

  /** Lengthen this connection's life with a new access token. */
  refresh(token) {
    return this.#request("refresh", { token });
  }

  #listen() {
    const socket = this.#socket;
    socket.on("connect", () => this.#onConnect());
    socket.on("disconnect", (reason) => this.#onDisconnect(reason));
    socket.on("connect_error", (error) => this.#onConnectError(error));
    socket.on("message", (message) => this.#onMessage(message));
    socket.on("removed", ({ room, reason }) => this.#refuse(room, { code: "forbidden", message: reason }));
    for (const name of ["session", "typing", "expiring"]) socket.on(name, (detail) => this.#emit(name, detail));
    for (const name of ["online", "offline"]) {
      globalThis.addEventListener?.(name, () => this.#setState(this.#state), { signal: this.#teardown.signal });
    }
  }

  #onConnect() {
    this.#retry.attempt = 0;
    this.#setState("connected");
    for (const room of this.#rooms.keys()) this.#join(room);
  }

  #onDisconnect(reason) {
    this.#typing.clear();
    for (const room of this.#rooms.values()) room.joined = false;
    if (reason === "io client disconnect") return;
    if (reason === "io server disconnect") {
      this.#setState("offline");
      this.#emit("ended", { code: "unauthorized", message: "The server ended this session." });
    } else this.#setState("reconnecting");
  }

  #onConnectError(error) {
    this.#setState("reconnecting");
    if (this.#socket.active) return; // The network failed: socket.io tries again by itself. A refusal it leaves to us.
    const { code, message, retry_after: retryAfter } = error.data ?? {};
    if (ENDING_CODES.has(code)) {
      this.#emit("ended", { code, message });
      return;
    }
    clearTimeout(this.#retry.timer);
    this.#retry.timer = setTimeout(() => this.connect(), backoff(this.#retry.attempt++, retryAfter));
  }

  #onMessage(message) {
    const room = this.#rooms.get(message.room);
    if (!room || message.seq <= room.lastSeq) return;
    if (message.prev > room.lastSeq) this.#emit("gap", { room: message.room, after: room.lastSeq });
    room.lastSeq = message.seq;
    this.#emit("message", message);
  }

  /** One loop per room and connection: a newer connection starts its own and this one ends. */
  async #join(name) {
    const room = this.#rooms.get(name);
    const connection = this.#socket.id;
    if (!room || !this.#socket.connected || room.joining === connection) return;
    const current = () => this.#socket.id === connection && this.#rooms.get(name) === room;
    room.joining = connection;
    for (let attempt = 0; current(); attempt++) {
      try {
        const after = room.opened ? room.lastSeq : undefined;
        const { seq, truncated } = await this.#request("join", { room: name, after });
        if (current()) this.#onJoined(name, room, { seq, truncated, after });
        break;
      } catch (error) {
        if (!current()) break;
        if (!error.temporary) this.#refuse(name, error);
        else await new Promise((resume) => setTimeout(resume, backoff(attempt, error.retryAfter)));
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
    this.#outbox.flush(name);
  }

  #refuse(room, error) {
    this.#rooms.delete(room);
    this.#outbox.abandon(room, error);
    this.#emit("refused", { room, error });
  }

  async #sendOnce(message) {
    try {
      return await this.#request("message", message);
    } catch (error) {
      if (error.code !== "not_joined" || !this.#rooms.has(message.room)) throw error;
      this.#join(message.room);
      throw new ParleyError({ code: "unavailable", message: error.message });
    }
  }

  async #request(event, payload) {
    if (!this.#socket.connected) throw new ParleyError({ code: "unavailable", message: "Not connected." });
    let ack;
    try {
      const timeout = event === "join" ? JOIN_TIMEOUT_MS : ACK_TIMEOUT_MS;
      ack = await this.#socket.timeout(timeout).emitWithAck(event, payload);
    } catch {
      throw new ParleyError({ code: "unavailable", message: "The server did not answer." });
    }
    if (!ack?.ok) throw new ParleyError(ack?.error);
    return ack;
  }

  #setState(state) {
    this.#state = state;
    this.#emit("state", { state: this.state });
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
