import { Composer } from "./composer.js";
import { MembersPanel } from "./members-panel.js";
import { MessageList } from "./message-list.js";
import { shownCount } from "./reading.js";
import { Sidebar } from "./sidebar.js";
import { typingText } from "./typing-members.js";

const MARKS = { public: "#", group: "", direct: "" };

/** All that is seen of a chat. Many changes are one rendering. */
export class ChatView {
  composer;
  list;
  members;
  sidebar;
  #view = document.querySelector("#chat");
  #title = document.querySelector("#room-title");
  #mark = document.querySelector("#room-mark");
  #typingLine = document.querySelector("#typing-line");
  #signal;
  #scheduled = false;
  #state;

  /**
   * @param handlers what the parts call: see their constructors
   * @param state    () => {rooms, current, hasNews}: what is to be seen
   */
  constructor({ me, handlers, state, signal }) {
    this.#state = state;
    this.#signal = signal;
    this.list = new MessageList({ ...handlers.list, signal });
    this.composer = new Composer({ ...handlers.composer, signal });
    this.sidebar = new Sidebar({ me, ...handlers.sidebar, signal });
    this.members = new MembersPanel({ ...handlers.members, signal });
    this.#view.hidden = false;
    signal.addEventListener("abort", () => {
      document.title = "Parley";
      this.#view.hidden = true;
    });
  }

  /** Whether the newest message of the current room is before somebody's eyes. */
  get isAtEnd() {
    return !document.hidden && this.list.following;
  }

  /** A hidden page gets no animation frames, yet shows its unread count in the title. */
  schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const render = () => {
      this.#scheduled = false;
      if (!this.#signal.aborted) this.render();
    };
    if (document.hidden) setTimeout(render, 250);
    else requestAnimationFrame(render);
  }

  render() {
    const { rooms, current, hasNews } = this.#state();
    this.#mark.textContent = MARKS[current.kind];
    this.#title.textContent = current.title;
    this.#typingLine.textContent = typingText(current.typing.names);
    this.composer.setRoom(current.label, current.status !== "refused");
    this.sidebar.render(rooms, current, hasNews);
    this.members.render(current);
    this.list.render(current);
    const unread = rooms.reduce((sum, room) => sum + room.reading.unread, 0);
    document.title = `${unread ? `(${shownCount(unread)}) ` : ""}${current.label} – Parley`;
  }
}
