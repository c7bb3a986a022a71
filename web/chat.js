import * as connection from "./connection-view.js";
import { Composer } from "./composer.js";
import * as banner from "./error-banner.js";
import { MessageList } from "./message-list.js";
import { ParleyClient } from "./parley-client.js";
import { Room } from "./room.js";
import { Sidebar } from "./sidebar.js";
import { typingText } from "./typing-members.js";

const view = document.querySelector("#chat");
const title = document.querySelector("#room-title");
const typingLine = document.querySelector("#typing-line");

/** The chat of one signed-in user, from construction to close(). */
export class Chat {
  #me;
  #client;
  #rooms = new Map();
  #current;
  #list;
  #composer;
  #sidebar;
  #onRoomsChange;
  #teardown = new AbortController();
  #scheduled = false;

  /**
   * @param session        a function that returns the session in use
   * @param onEnded        ({code, message}) => void: the server refused the session
   * @param onExpiring     () => void: the access token ends soon
   * @param onSignOut      () => void
   * @param onRoomsChange  (names, current) => void
   */
  constructor({ session, rooms, room, onEnded, onExpiring, onSignOut, onRoomsChange }) {
    const { signal } = this.#teardown;
    this.#me = session().user;
    this.#onRoomsChange = onRoomsChange;
    this.#client = new ParleyClient({ token: () => session().access_token });
    this.#listen({ onEnded, onExpiring });
    this.#list = new MessageList({
      onRetry: (id) => this.#retry(id),
      onDiscard: (id) => this.#discard(id),
      onOlder: () => this.#current.loadOlder(),
      onEnd: () => this.#schedule(),
      signal,
    });
    this.#composer = new Composer({
      onSend: (body) => this.#send(body),
      onType: () => this.#client.typing(this.#current.name),
      onStop: () => this.#client.stopTyping(this.#current.name),
      signal,
    });
    this.#sidebar = new Sidebar({
      me: this.#me,
      onOpen: (name) => this.open(name),
      onLeave: (name) => this.#leave(name),
      onInvalid: () => banner.show("A room name has 1 to 64 letters, digits, hyphens or underscores."),
      onSignOut,
      signal,
    });
    document.addEventListener("visibilitychange", () => this.#render(), { signal });
    view.hidden = false;
    banner.moveTo(document.querySelector("#chat-error"));
    connection.showState(this.#client.state);
    connection.showGateway("");
    for (const name of rooms) this.#roomNamed(name);
    this.open(room);
    this.#client.connect();
  }

  close() {
    this.#teardown.abort();
    this.#client.close();
    document.title = "Parley";
    view.hidden = true;
  }

  /** Connect again, after the session was renewed. */
  reconnect() {
    this.#client.connect();
  }

  refresh(token) {
    return this.#client.refresh(token);
  }

  open(name) {
    const previous = this.#current;
    if (previous) {
      previous.draft = this.#composer.draft;
      this.#client.stopTyping(previous.name);
      if (previous.status === "refused" && previous.name !== name) this.#rooms.delete(previous.name);
    }
    banner.hide();
    const room = this.#roomNamed(name);
    if (room.status === "refused") this.#join(room);
    this.#current = room;
    this.#composer.draft = room.draft;
    this.#render();
    if (matchMedia("(pointer: fine)").matches) this.#composer.focus();
    this.#onRoomsChange([...this.#rooms.keys()], name);
  }

  #roomNamed(name) {
    const known = this.#rooms.get(name);
    if (known) return known;
    const room = new Room(name, this.#me, this.#client, () => this.#schedule());
    this.#rooms.set(name, room);
    this.#join(room);
    return room;
  }

  #join(room) {
    room.status = "joining";
    this.#client.join(room.name);
  }

  #leave(name) {
    this.#client.leave(name);
    const room = this.#rooms.get(name);
    this.#rooms.delete(name);
    const next = room === this.#current ? this.#rooms.keys().next().value : this.#current.name;
    if (room === this.#current) this.#composer.draft = "";
    this.open(next);
  }

  #listen({ onEnded, onExpiring }) {
    const { signal } = this.#teardown;
    const on = (name, handle) => this.#client.addEventListener(name, ({ detail }) => handle(detail), { signal });
    const onRoom = (name, handle) => on(name, (detail) => {
      const room = this.#rooms.get(detail.room);
      if (room) handle(room, detail);
    });
    on("state", ({ state }) => connection.showState(state));
    on("session", ({ gateway }) => connection.showGateway(gateway));
    on("expiring", onExpiring);
    on("ended", onEnded);
    onRoom("joined", (room, detail) => room.onJoined(detail));
    onRoom("refused", (room, { error }) => this.#onRefused(room, error));
    onRoom("message", (room, message) => this.#onMessage(room, message));
    onRoom("gap", (room, detail) => room.onGap(detail));
    onRoom("delivery", (room, outcome) => room.onDelivery(outcome));
    onRoom("typing", (room, detail) => room.onTyping(detail));
  }

  #onMessage(room, message) {
    const fresh = room.onMessage(message);
    const seen = room === this.#current && !document.hidden && this.#list.following;
    if (fresh && !seen && message.from?.id !== this.#me.id) room.unread++;
  }

  #onRefused(room, error) {
    room.onRefused(error);
    if (room === this.#current) banner.show(`#${room.name}: ${error.message}`);
    this.#schedule();
  }

  #send(body) {
    this.#client.sendMessage(this.#current.name, body);
    this.#list.scrollToEnd();
  }

  #retry(id) {
    const entry = this.#current.timeline.find(this.#me.id, id);
    if (entry?.state === "failed") this.#client.sendMessage(this.#current.name, entry.body, id);
  }

  #discard(id) {
    const entry = this.#current.timeline.find(this.#me.id, id);
    if (entry?.state !== "failed") return;
    this.#current.timeline.remove(entry);
    this.#composer.focus();
    this.#render();
  }

  /** Many changes, one rendering. A hidden page gets no animation frames, yet shows its unread count in the title. */
  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const render = () => {
      this.#scheduled = false;
      if (!this.#teardown.signal.aborted) this.#render();
    };
    if (document.hidden) setTimeout(render, 250);
    else requestAnimationFrame(render);
  }

  #render() {
    const room = this.#current;
    if (!document.hidden && this.#list.following) {
      room.unread = 0;
      room.trim();
    }
    title.textContent = room.name;
    typingLine.textContent = typingText(room.typing.names);
    this.#composer.setRoom(room.name, room.status !== "refused");
    this.#sidebar.render([...this.#rooms.values()], room);
    this.#list.render(room);
    const unread = Array.from(this.#rooms.values(), (each) => each.unread).reduce((sum, count) => sum + count, 0);
    document.title = `${unread ? `(${unread}) ` : ""}#${room.name} – Parley`;
  }
}
