import { io } from "./vendor/socket.io.esm.min.js";
import { ParleyError, backoff } from "./parley-error.js";
import { randomId } from "./parley-id.js";
import { Outbox } from "./parley-outbox.js";
import { JoinedRooms } from "./parley-rooms.js";
import { TypingNotices } from "./parley-typing.js";

const ACK_TIMEOUT_MS = 10_000;
const JOIN_TIMEOUT_MS = 45_000; // a join is answered once all that was missed is told: see RESUME_SECONDS
const ENDING_CODES = new Set(["unauthorized", "expired"]);
const PASSED_ON = ["session", "typing", "presence", "read", "notification", "dismissed", "added", "expiring"];

/**
 * One user's connection to a Parley gateway. Needs no DOM; copy the parley-*.js files into your own page.
 *
 * Each message of a joined room is delivered once, in the order of `seq`, across reconnects and gateways.
 * Events (CustomEvent, data in `detail`):
 *   state    {state}: connecting | connected | reconnecting | offline
 *   session  {user, session, gateway, expires_in}
 *   joined   {room, seq, first}       `first`: nothing is known of the room yet; page back from `seq` with history()
 *   refused  {room, error}            the room cannot be joined
 *   message  {room, seq, prev, id, from, body, data?, ts}
 *   gap      {room, after}            messages between `after` and the next one were not delivered; page with history()
 *   delivery {room, id, body, state: sending | sent | failed, seq?, ts?, error?}      of own messages
 *   typing   {room, user, active}
 *   presence {room, user, display_name, state: online | offline}; of large rooms {room, count, changes, truncated}
 *            Changes between two connections are not told: ask with presence() after each `joined`
 *   read     {room, seq}              the user has read so far, on another device
 *   added    {room}                   the user is a member of a private room now: join() it to hear more
 *   removed  {room, reason}           and of this one no more: removed | left | deleted
 *   notification {id, title, body?, data?, ts}    from a backend; again after each connect, until dismiss()
 *   dismissed    {id}                 it was read on another device
 *   expiring {expires_in}             get a new token and hand it to refresh()
 *   ended    {code, message}          the server wants no more of this session; connect() again with another token
 */
export class ParleyClient extends EventTarget {
  #token;
  #socket;
  #rooms;
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
    this.#rooms = new JoinedRooms({
      connection: () => (this.#socket.connected ? this.#socket.id : undefined),
      ask: (payload) => this.#request("join", payload, JOIN_TIMEOUT_MS),
      emit: (name, detail) => {
        if (name === "refused") this.#outbox.abandon(detail.room, detail.error);
        this.#emit(name, detail);
      },
      opened: (room) => this.#outbox.flush(room),
    });
    this.#outbox = new Outbox({
      send: (message) => this.#sendOnce(message),
      isReady: (room) => this.#socket.connected && this.#rooms.isJoined(room),
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
    this.#rooms.add(room);
  }

  leave(room) {
    if (!this.#rooms.remove(room)) return;
    this.#typing.stop(room);
    this.#outbox.abandon(room, new ParleyError({ code: "not_joined", message: "You left the room." }));
    this.#request("leave", { room }).catch(() => {});
  }

  /** One page of a room: `{messages, more}`. Rejects with ParleyError, as all that ask do. */
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
    if (this.#rooms.isJoined(room)) this.#typing.keystroke(room);
  }

  stopTyping(room) {
    this.#typing.stop(room);
  }

  /** Who is in a joined room: `{members: [{id, display_name}], count}`. No more than 1,000 are listed. */
  presence(room) {
    return this.#request("presence", { room });
  }

  /** The user has read a joined room up to `seq`, for all their devices. `{seq}`: up to where they have now. */
  markRead(room, seq) {
    return this.#request("read", { room, seq });
  }

  /** The user has read a notification: it does not come again. */
  dismiss(id) {
    return this.#request("dismiss", { id });
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
    socket.on("message", (message) => this.#rooms.onMessage(message));
    socket.on("removed", (detail) => this.#onRemoved(detail));
    for (const name of PASSED_ON) socket.on(name, (detail) => this.#emit(name, detail));
    for (const name of ["online", "offline"]) {
      globalThis.addEventListener?.(name, () => this.#setState(this.#state), { signal: this.#teardown.signal });
    }
  }

  #onConnect() {
    this.#retry.attempt = 0;
    this.#setState("connected");
    this.#rooms.onConnected();
  }

  #onDisconnect(reason) {
    this.#typing.clear();
    this.#rooms.onDisconnected();
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

  #onRemoved({ room, reason }) {
    this.#rooms.remove(room);
    this.#outbox.abandon(room, new ParleyError({ code: "forbidden", message: reason }));
    this.#emit("removed", { room, reason });
  }

  async #sendOnce(message) {
    try {
      return await this.#request("message", message);
    } catch (error) {
      if (error.code !== "not_joined" || !this.#rooms.has(message.room)) throw error;
      this.#rooms.join(message.room);
      throw new ParleyError({ code: "unavailable", message: error.message });
    }
  }

  async #request(event, payload, timeout = ACK_TIMEOUT_MS) {
    if (!this.#socket.connected) throw new ParleyError({ code: "unavailable", message: "Not connected." });
    let ack;
    try {
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
