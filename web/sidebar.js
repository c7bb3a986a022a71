import { showAvatar } from "./avatar.js";
import { ROOM_ID } from "./room-names.js";
import { RoomList } from "./room-list.js";

/** The rooms, and the account. On narrow screens it slides over the chat. */
export class Sidebar {
  #chat = document.querySelector("#chat");
  #menu = document.querySelector("#menu");
  #badge = document.querySelector("#menu-badge");
  #input = document.querySelector("#open-room input");
  #list;

  constructor({ me, onOpen, onLeave, onNewGroup, onSignOut, onInvalid, signal }) {
    showAvatar(document.querySelector("#own-avatar"), me);
    const name = document.querySelector("#own-name");
    name.textContent = me.display_name;
    name.title = me.display_name;
    const open = (id) => {
      this.close();
      onOpen(id);
    };
    this.#list = new RoomList({ onOpen: open, onLeave, signal });

    this.#input.value = "";
    this.#input.removeAttribute("aria-invalid");
    document.querySelector("#open-room").addEventListener("submit", (event) => {
      event.preventDefault();
      const id = this.#input.value.trim();
      const valid = ROOM_ID.test(id);
      this.#input.setAttribute("aria-invalid", String(!valid));
      if (!valid) return onInvalid(id);
      this.#input.value = "";
      return open(id);
    }, { signal });
    document.querySelector("#new-group").addEventListener("click", onNewGroup, { signal });
    document.querySelector("#sign-out").addEventListener("click", onSignOut, { signal });
    document.querySelector("#backdrop").addEventListener("click", () => this.close(), { signal });
    this.#menu.addEventListener("click", () => this.#show(!this.#isOpen), { signal });
    this.#chat.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || !this.#isOpen) return;
      this.close();
      this.#menu.focus();
    }, { signal });
    this.close();
  }

  close() {
    this.#show(false);
  }

  /** @param hasNews whether something beside the rooms waits to be seen here */
  render(rooms, current, hasNews) {
    const hasUnread = rooms.some((room) => room !== current && room.reading.unread > 0);
    this.#badge.hidden = !hasUnread && !hasNews;
    this.#menu.setAttribute("aria-label", this.#badge.hidden ? "Rooms" : "Rooms, something is unread");
    this.#list.render(rooms, current);
  }

  get #isOpen() {
    return this.#menu.ariaExpanded === "true";
  }

  #show(open) {
    this.#menu.ariaExpanded = String(open);
    this.#chat.classList.toggle("menu-open", open);
    if (open) this.#list.focus();
  }
}
