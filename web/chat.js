import { ChatEvents } from "./chat-events.js";
import { ChatView } from "./chat-view.js";
import * as connection from "./connection-view.js";
import * as dialogs from "./dialog.js";
import * as banner from "./error-banner.js";
import { Notifications } from "./notifications.js";
import { OwnMessages } from "./own-messages.js";
import { ParleyClient } from "./parley-client.js";
import { PresenceAsks } from "./presence-asks.js";
import { ReadMarks } from "./read-marks.js";
import { RoomActions } from "./room-actions.js";
import { Rooms } from "./rooms.js";
import { RoomsApi } from "./rooms-api.js";
import * as toasts from "./toasts.js";

/** Where somebody goes who has no room left. */
const DEFAULT_ROOM = "lobby";

/** The chat of one signed-in user, from construction to close(). */
export class Chat {
  #client;
  #rooms;
  #current;
  #view;
  #notifications;
  #actions;
  #marks;
  #asks;
  #onRoomsChange;
  #teardown = new AbortController();

  /**
   * @param session        a function that returns the session in use
   * @param rooms          ids of the public rooms that were open
   * @param onEnded        ({code, message}) => void: the server refused the session
   * @param onExpiring     () => void: the access token ends soon
   * @param onSignOut      () => void
   * @param onRoomsChange  (public ids, current id) => void
   */
  constructor({ session, rooms, room, onEnded, onExpiring, onSignOut, onRoomsChange }) {
    const { signal } = this.#teardown;
    const token = () => session().access_token;
    const changed = () => this.#view?.schedule();
    const me = session().user;
    this.#onRoomsChange = onRoomsChange;
    const client = new ParleyClient({ token });
    const api = new RoomsApi(token);
    this.#client = client;
    this.#rooms = new Rooms({ me, client, api, changed, onLost: (lost) => this.#lose(lost, "removed") });
    this.#marks = new ReadMarks(client);
    this.#asks = new PresenceAsks({ client, changed });
    this.#notifications = new Notifications({ client, changed, signal });
    this.#actions = new RoomActions({
      me, api, rooms: this.#rooms, open: (id) => this.open(id), forget: (gone) => this.#forget(gone),
    });
    new ChatEvents({
      me, client, api, rooms: this.#rooms, notifications: this.#notifications, asks: this.#asks, changed, signal,
      current: () => this.#current,
      isListOpen: () => this.#view.members.isOpen,
      open: (id) => this.open(id),
      lose: (lost, reason) => this.#lose(lost, reason),
    });
    client.addEventListener("ended", ({ detail }) => onEnded(detail), { signal });
    client.addEventListener("expiring", onExpiring, { signal });
    document.addEventListener("visibilitychange", () => this.#onVisibility(), { signal });
    banner.moveTo(document.querySelector("#chat-error"));
    connection.showState(client.state);
    connection.showGateway("");
    for (const id of rooms) this.#rooms.open(id);
    this.#current = this.#rooms.open(room);
    const state = () => this.#shown();
    this.#view = new ChatView({ me, handlers: this.#handlers(me, onSignOut), state, signal });
    this.open(room);
    client.connect();
  }

  close() {
    this.#teardown.abort();
    this.#marks.close();
    this.#asks.close();
    this.#rooms.close();
    this.#client.close();
    dialogs.closeAll();
    toasts.clear();
  }

  /** Connect again, after the session was renewed. */
  reconnect() {
    this.#client.connect();
  }

  /** The connection lives on with a new token; one that is not there yet begins with it. */
  async refresh(token) {
    if (this.#client.state === "connected") await this.#client.refresh(token);
  }

  open(id) {
    const previous = this.#current;
    previous.draft = this.#view.composer.draft;
    this.#client.stopTyping(previous.id);
    if (previous.status === "refused" && previous.id !== id) this.#rooms.remove(previous.id);
    banner.hide();
    const room = this.#rooms.open(id);
    this.#current = room;
    room.newAfter = room.reading.unread ? room.reading.read || undefined : undefined;
    if (room.info) this.#rooms.refresh(id);
    if (room.status === "open" && !room.presence.known) this.#asks.ask(room);
    this.#view.composer.draft = room.draft;
    this.#view.members.makeWay();
    this.#view.render();
    if (matchMedia("(pointer: fine)").matches) this.#view.composer.focus();
    this.#onRoomsChange(this.#rooms.publicIds, id);
  }

  /** What is to be seen; whoever sees the end of a room has read it. */
  #shown() {
    const room = this.#current;
    if (this.#view?.isAtEnd) {
      const seq = room.timeline.newestSeq;
      if (room.reading.unread && seq > room.reading.read) {
        room.reading.onRead(seq);
        this.#marks.mark(room.id, seq);
      }
      room.trim();
    }
    return { rooms: this.#rooms.all, current: room, hasNews: this.#notifications.count > 0 };
  }

  #handlers(me, onSignOut) {
    const current = () => this.#current;
    const own = new OwnMessages({ me, client: this.#client, current });
    return {
      list: {
        onRetry: (id) => own.retry(id),
        onDiscard: (id) => {
          own.discard(id);
          this.#view.composer.focus();
          this.#view.render();
        },
        onPerson: (id) => this.#actions.person(current(), current().timeline.authorOf(id)),
        onOlder: () => current().loadOlder(),
        onEnd: () => this.#view.schedule(),
      },
      composer: {
        onSend: (body) => {
          own.send(body);
          this.#view.list.scrollToEnd();
        },
        onType: () => this.#client.typing(current().id),
        onStop: () => this.#client.stopTyping(current().id),
      },
      sidebar: {
        onOpen: (id) => this.open(id),
        onLeave: (id) => this.#actions.leave(this.#rooms.get(id)),
        onNewGroup: () => this.#actions.newGroup(),
        onInvalid: () => banner.show("A room name has 1 to 64 letters, digits, hyphens or underscores."),
        onSignOut,
      },
      members: {
        actions: {
          invite: () => this.#actions.invite(current()),
          rename: () => this.#actions.rename(current()),
          leave: () => this.#actions.leave(current()),
          delete: () => this.#actions.delete(current()),
        },
        onPerson: (person) => this.#actions.person(current(), person),
        onOpen: () => this.#view?.schedule(),
      },
    };
  }

  /** A room that is not ours any more, and not by what was done here. */
  #lose(room, reason) {
    const said = { left: `You have left ${room.label}.`, deleted: `${room.label} was deleted.` };
    const text = said[reason] ?? `You are not a member of ${room.label} any more.`;
    const wasHere = room === this.#current;
    this.#forget(room);
    if (room.isGoing) return;
    if (wasHere) banner.show(`${text} You are in ${this.#current.label} now.`);
    else toasts.show({ title: text });
  }

  #forget(room) {
    if (this.#rooms.get(room.id) !== room) return;
    this.#marks.forget(room.id);
    this.#rooms.remove(room.id);
    if (room !== this.#current) {
      this.#onRoomsChange(this.#rooms.publicIds, this.#current.id);
      return;
    }
    this.#view.composer.draft = "";
    this.open(this.#rooms.all[0]?.id ?? DEFAULT_ROOM);
  }

  #onVisibility() {
    if (document.hidden) this.#current.newAfter = this.#current.timeline.newestSeq;
    else this.#rooms.lookAgain();
    this.#view.render();
  }
}
