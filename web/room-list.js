import { showAvatar } from "./avatar.js";
import { shownCount } from "./reading.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/** The rooms, by kind. One stop of the Tab key; the arrow keys, Home and End go from room to room. */
export class RoomList {
  #list = document.querySelector("#room-list");
  #directs = document.querySelector("#direct-section");
  #template = document.querySelector("#room-template");
  #items = new Map();

  constructor({ onOpen, onLeave, signal }) {
    for (const list of this.#list.querySelectorAll("ul")) {
      this.#items.set(list.dataset.kind, list);
      list.replaceChildren();
    }
    this.#list.addEventListener("click", ({ target }) => {
      const id = target.closest("li")?.dataset.room;
      if (target.closest(".leave")) onLeave(id);
      else if (target.closest(".room")) onOpen(id);
    }, { signal });
    this.#list.addEventListener("keydown", (event) => this.#onKey(event), { signal });
  }

  focus() {
    this.#list.querySelector("[aria-current=true]")?.focus();
  }

  render(rooms, current) {
    for (const [kind, list] of this.#items) {
      const ofKind = rooms.filter((room) => room.kind === kind);
      while (list.children.length > ofKind.length) list.lastElementChild.remove();
      while (list.children.length < ofKind.length) list.append(this.#template.content.cloneNode(true));
      ofKind.forEach((room, index) => renderRoom(list.children[index], room, room === current, rooms.length > 1));
    }
    this.#directs.hidden = !this.#items.get("direct").children.length;
  }

  #onKey(event) {
    const rooms = [...this.#list.querySelectorAll(".room")];
    const at = rooms.indexOf(document.activeElement);
    if (at < 0) return;
    const targets = { Home: rooms[0], End: rooms.at(-1) };
    const target = targets[event.key] ?? (STEPS[event.key] && rooms[at + STEPS[event.key]]);
    if (!target) return;
    event.preventDefault();
    target.focus();
  }
}

function renderRoom(item, room, isCurrent, mayLeave) {
  const { unread } = room.reading;
  const isOnline = room.partner && room.presence.known ? room.presence.has(room.partner.id) : undefined;
  const shown = [room.id, room.title, isCurrent, mayLeave, unread, isOnline].join("\n");
  if (item.dataset.shown === shown) return;
  item.dataset.shown = shown;
  item.dataset.room = room.id;
  const button = item.querySelector(".room");
  const icon = item.querySelector(".room-icon");
  const badge = item.querySelector(".unread");
  const leave = item.querySelector(".leave");
  icon.classList.toggle("avatar", room.kind !== "public");
  if (room.kind === "public") icon.textContent = "#";
  else showAvatar(icon, { id: room.partner?.id ?? room.id, display_name: room.title }, isOnline);
  item.querySelector(".room-name").textContent = room.title;
  button.title = room.title;
  const online = isOnline ? ", online" : "";
  button.setAttribute("aria-label", `${room.label}${online}${unread ? `, ${shownCount(unread)} unread` : ""}`);
  button.setAttribute("aria-current", String(isCurrent));
  button.tabIndex = isCurrent ? 0 : -1;
  button.classList.toggle("has-unread", unread > 0);
  badge.hidden = unread === 0;
  badge.textContent = unread ? shownCount(unread) : "";
  leave.hidden = !mayLeave || room.kind !== "public";
  leave.setAttribute("aria-label", `Leave ${room.label}`);
}
