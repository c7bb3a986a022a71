import { hueOf, initials } from "./format.js";
import { ROOM_ID } from "./room.js";

/** The rooms of this tab, and the account. On narrow screens it slides over the chat. */
export class Sidebar {
  #chat = document.querySelector("#chat");
  #list = document.querySelector("#room-list");
  #menu = document.querySelector("#menu");
  #badge = document.querySelector("#menu-badge");
  #template = document.querySelector("#room-template");
  #input = document.querySelector("#open-room input");

  constructor({ me, onOpen, onLeave, onSignOut, onInvalid, signal }) {
    const avatar = document.querySelector("#own-avatar");
    avatar.textContent = initials(me.display_name);
    avatar.dataset.hue = hueOf(me.id);
    const name = document.querySelector("#own-name");
    name.textContent = me.display_name;
    name.title = me.display_name;

    this.#input.value = "";
    this.#input.removeAttribute("aria-invalid");
    document.querySelector("#open-room").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = this.#input.value.trim();
      const valid = ROOM_ID.test(name);
      this.#input.setAttribute("aria-invalid", String(!valid));
      if (!valid) return onInvalid(name);
      this.#input.value = "";
      this.#showMenu(false);
      return onOpen(name);
    }, { signal });
    this.#list.addEventListener("click", ({ target }) => {
      const name = target.closest("li")?.dataset.room;
      if (target.closest(".leave")) onLeave(name);
      else if (target.closest(".room")) {
        this.#showMenu(false);
        onOpen(name);
      }
    }, { signal });
    document.querySelector("#sign-out").addEventListener("click", onSignOut, { signal });
    document.querySelector("#backdrop").addEventListener("click", () => this.#showMenu(false), { signal });
    this.#menu.addEventListener("click", () => this.#showMenu(this.#menu.ariaExpanded !== "true"), { signal });
    this.#chat.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || this.#menu.ariaExpanded !== "true") return;
      this.#showMenu(false);
      this.#menu.focus();
    }, { signal });
    this.#showMenu(false);
  }

  render(rooms, current) {
    this.#badge.hidden = !rooms.some(({ unread }) => unread > 0);
    while (this.#list.children.length > rooms.length) this.#list.lastElementChild.remove();
    while (this.#list.children.length < rooms.length) this.#list.append(this.#template.content.cloneNode(true));
    rooms.forEach((room, index) => this.#renderRoom(this.#list.children[index], room, room === current, rooms.length > 1));
  }

  #renderRoom(item, room, isCurrent, mayLeave) {
    const button = item.querySelector(".room");
    const badge = item.querySelector(".unread");
    item.dataset.room = room.name;
    item.querySelector(".room-name").textContent = room.name;
    button.setAttribute("aria-current", String(isCurrent));
    button.classList.toggle("has-unread", room.unread > 0);
    badge.hidden = room.unread === 0;
    badge.textContent = room.unread > 99 ? "99+" : room.unread || "";
    badge.setAttribute("aria-label", `${badge.textContent} unread`);
    item.querySelector(".leave").hidden = !mayLeave;
    item.querySelector(".leave").setAttribute("aria-label", `Leave ${room.name}`);
  }

  #showMenu(open) {
    this.#menu.ariaExpanded = String(open);
    this.#chat.classList.toggle("menu-open", open);
    if (open) this.#list.querySelector("[aria-current=true]")?.focus();
  }
}
