import * as connection from "./connection-view.js";
import * as banner from "./error-banner.js";
import * as toasts from "./toasts.js";

const MEMBERS_CHANGED_MS = 1000;

/** What the server tells, and what it means for the rooms of the page. */
export class ChatEvents {
  #me;
  #client;
  #api;
  #rooms;
  #notifications;
  #asks;
  #changed;
  #current;
  #isListOpen;
  #open;
  #lose;
  #signal;
  #refreshes = new Map();

  /**
   * @param current    () => the room that is shown
   * @param isListOpen () => whether its members are shown
   * @param open       (id) => void: show that room
   * @param lose       (room, reason) => void: the user is no member of it any more
   */
  constructor({ me, client, api, rooms, notifications, asks, changed, signal, current, isListOpen, open, lose }) {
    this.#me = me;
    this.#client = client;
    this.#api = api;
    this.#rooms = rooms;
    this.#notifications = notifications;
    this.#asks = asks;
    this.#changed = changed;
    this.#signal = signal;
    this.#current = current;
    this.#isListOpen = isListOpen;
    this.#open = open;
    this.#lose = lose;
    this.#listen();
  }

  #listen() {
    const on = (name, handle) => {
      this.#client.addEventListener(name, ({ detail }) => handle(detail), { signal: this.#signal });
    };
    const onRoom = (name, handle) => on(name, (detail) => {
      const room = this.#rooms.get(detail.room);
      if (room) handle(room, detail);
    });
    on("state", ({ state }) => connection.showState(state));
    on("session", (session) => this.#onSession(session));
    on("notification", (notification) => this.#notifications.onNotification(notification));
    on("dismissed", (dismissed) => this.#notifications.onDismissed(dismissed));
    on("added", ({ room }) => this.#onAdded(room));
    onRoom("joined", (room, detail) => this.#onJoined(room, detail));
    onRoom("refused", (room, { error }) => this.#onRefused(room, error));
    onRoom("removed", (room, { reason }) => this.#lose(room, reason));
    onRoom("message", (room, message) => room.onMessage(message));
    onRoom("gap", (room, detail) => room.onGap(detail));
    onRoom("delivery", (room, outcome) => room.onDelivery(outcome));
    onRoom("typing", (room, detail) => room.onTyping(detail));
    onRoom("presence", (room, change) => this.#onPresence(room, change));
    onRoom("read", (room, { seq }) => this.#onRead(room, seq));
  }

  #onSession({ gateway }) {
    connection.showGateway(gateway);
    this.#notifications.onConnected();
    this.#rooms.list();
  }

  #onJoined(room, detail) {
    this.#rooms.onJoined(room, detail);
    if (room === this.#current() || room.kind === "direct") this.#asks.ask(room);
  }

  #onRefused(room, error) {
    if (room.info && error.code === "forbidden") {
      this.#lose(room, "removed");
      return;
    }
    room.onRefused(error);
    if (room === this.#current()) banner.show(`${room.label}: ${error.message}`);
    this.#changed();
  }

  #onRead(room, seq) {
    if (room.reading.onRead(seq)) this.#rooms.refresh(room.id);
    this.#changed();
  }

  async #onAdded(id) {
    let info;
    try {
      if (this.#rooms.get(id)?.info) return; // We have just made it.
      info = await this.#api.get(id);
    } catch (error) {
      if (error.temporary) this.#rooms.list();
      return; // Otherwise we have been removed again.
    }
    const isKnown = this.#signal.aborted || this.#rooms.get(id)?.info;
    if (isKnown) return;
    const room = this.#rooms.add(info);
    if (room.isMine || room === this.#current()) return;
    const title = room.kind === "direct" ? `New conversation with ${room.title}` : `You are now in ${room.title}`;
    toasts.show({ title, action: { label: "Open", run: () => this.#open(id) } });
  }

  #onPresence(room, change) {
    const isShown = () => room === this.#current() && this.#isListOpen();
    if (room.presence.onChange(change) && isShown()) this.#asks.askLater(room, isShown);
    if (room === this.#current() && room.kind === "group") this.#onGroupPresence(room, change);
    this.#changed();
  }

  /** Nobody tells the others of a group who has come into it or left it, but then they come and go here, too. */
  #onGroupPresence(room, { user, state, changes = [{ user, state }] }) {
    const isMember = (id) => room.info?.members?.some((member) => member.id === id);
    const mayHaveChanged = changes.some((each) => isMember(each.user) !== (each.state === "online"));
    if (!mayHaveChanged || this.#refreshes.has(room)) return;
    this.#refreshes.set(room, setTimeout(() => {
      this.#refreshes.delete(room);
      if (!this.#signal.aborted) this.#rooms.refresh(room.id);
    }, MEMBERS_CHANGED_MS));
  }
}
