import { dayOf, sameDay } from "./format.js";
import { MessageView } from "./message-view.js";

const GROUP_MS = 5 * 60_000;
const NEAR_PX = 80;
const LOAD_OLDER_PX = 300;
const QUIET_MS = 150;

/** The scrolling list. Keeps the reader's place: at the end it follows, elsewhere nothing moves under their eyes. */
export class MessageList {
  #scroller = document.querySelector("#messages");
  #items = document.querySelector("#message-items");
  #top = document.querySelector("#list-top");
  #topText = document.querySelector("#list-top-text");
  #older = document.querySelector("#load-older");
  #jump = document.querySelector("#jump");
  #messageTemplate = document.querySelector("#message-template");
  #dayTemplate = document.querySelector("#day-template");
  #divider = document.querySelector("#new-template").content.firstElementChild.cloneNode(true);
  #views = new Map();
  #days = new Map();
  #room;
  #following = true;
  #onOlder;
  #onEnd;

  constructor({ onRetry, onDiscard, onPerson, onOlder, onEnd, signal }) {
    this.#onOlder = onOlder;
    this.#onEnd = onEnd;
    this.#scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true, signal });
    this.#jump.addEventListener("click", () => this.scrollToEnd(), { signal });
    this.#older.addEventListener("click", onOlder, { signal });
    this.#items.addEventListener("click", ({ target }) => {
      const action = target.closest("[data-action]")?.dataset.action;
      const message = target.closest(".message");
      if (action === "retry") onRetry(message.dataset.id);
      if (action === "discard") onDiscard(message.dataset.id);
      if (action === "person") onPerson(message.dataset.sender);
    }, { signal });
    const resized = new ResizeObserver(() => this.#following && this.scrollToEnd());
    resized.observe(this.#scroller);
    signal.addEventListener("abort", () => resized.disconnect());
  }

  /** Whether the newest message is in sight. */
  get following() {
    return this.#following;
  }

  scrollToEnd() {
    this.#following = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#jump.hidden = true;
  }

  render(room) {
    if (room !== this.#room) this.#switchTo(room);
    const anchor = this.#following ? undefined : this.#anchor();
    const newest = this.#items.lastElementChild;
    this.#renderTop(room);
    this.#announce(room);
    this.#place(room);
    if (this.#following) this.scrollToEnd();
    else {
      if (anchor?.element.isConnected) this.#scroller.scrollTop += anchor.element.offsetTop - anchor.offset;
      if (newest && newest !== this.#items.lastElementChild) this.#jump.hidden = false;
    }
    this.#wantOlder();
  }

  /** Screen readers hear new messages, not pages of the past. */
  #announce({ loadingOlder, status }) {
    const quiet = loadingOlder || status === "joining";
    if (quiet) this.#scroller.setAttribute("aria-busy", "true");
    else setTimeout(() => this.#scroller.setAttribute("aria-busy", "false"), QUIET_MS);
  }

  #switchTo(room) {
    this.#room = room;
    this.#views.clear();
    this.#days.clear();
    this.#items.replaceChildren();
    this.#following = true;
    this.#jump.hidden = true;
  }

  #renderTop(room) {
    const { length } = room.timeline.entries;
    this.#older.hidden = !room.olderFailed;
    this.#top.dataset.kind = room.hasOlder || room.status === "joining" ? "loading" : length ? "start" : "empty";
    const texts = {
      loading: room.olderFailed ? "Older messages could not be loaded." : "Loading messages…",
      start: `This is the beginning of ${room.label}.`,
      empty: "Nobody has written here yet. Say hello.",
    };
    const text = room.status === "refused" ? "This room is not open to you." : texts[this.#top.dataset.kind];
    if (this.#topText.textContent !== text) this.#topText.textContent = text;
  }

  /** Make the children of the list what the timeline says, touching only what differs. */
  #place({ timeline: { entries }, me, newAfter = Infinity }) {
    let next = this.#items.firstElementChild;
    const put = (element) => {
      if (element === next) next = next.nextElementSibling;
      else this.#items.insertBefore(element, next);
    };
    const views = new Map();
    const days = new Map();
    let previous;
    let divided = !(entries[0]?.seq <= newAfter); // Further back than what is held, there is nothing to show.
    for (const entry of entries) {
      const newDay = !previous || !sameDay(previous.ts, entry.ts);
      if (newDay) put(this.#day(entry, days));
      const own = entry.from.id === me.id;
      const isFirstNew = !divided && entry.seq > newAfter && !own;
      if (isFirstNew) {
        put(this.#divider);
        divided = true;
      }
      const view = this.#views.get(entry.key) ?? new MessageView(this.#messageTemplate, entry, own);
      const continues = !newDay && !isFirstNew && previous.from.id === entry.from.id && entry.ts - previous.ts < GROUP_MS;
      view.update(entry, continues);
      put(view.element);
      views.set(entry.key, view);
      previous = entry;
    }
    while (next) {
      const stale = next;
      next = next.nextElementSibling;
      stale.remove();
    }
    this.#views = views;
    this.#days = days;
  }

  #day({ ts, key }, days) {
    const date = new Date(ts).toDateString();
    const name = days.has(date) ? `${date} ${key}` : date; // Clocks differ: a day may come back.
    const element = this.#days.get(name) ?? this.#dayTemplate.content.firstElementChild.cloneNode(true);
    days.set(name, element);
    const label = element.querySelector("span");
    if (label.textContent !== dayOf(ts)) label.textContent = dayOf(ts);
    return element;
  }

  /** The first message in sight and where it stands, to put it back there after a change above it. */
  #anchor() {
    const { scrollTop } = this.#scroller;
    for (const element of this.#items.querySelectorAll(".message")) {
      if (element.offsetTop + element.offsetHeight > scrollTop) return { element, offset: element.offsetTop };
    }
    return undefined;
  }

  #onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const wasFollowing = this.#following;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (this.#following) this.#jump.hidden = true;
    if (this.#following && !wasFollowing) this.#onEnd();
    this.#wantOlder();
  }

  #wantOlder() {
    const room = this.#room;
    if (room?.hasOlder && !room.olderFailed && this.#scroller.scrollTop < LOAD_OLDER_PX) this.#onOlder();
  }
}
