import { showAvatar } from "./avatar.js";
import { sorted } from "./people.js";

const BESIDE = matchMedia("(min-width: 1080px)");

/** Who is in the room, and who of them is there now. Beside the messages where there is room, over them elsewhere. */
export class MembersPanel {
  #chat = document.querySelector("#chat");
  #panel = document.querySelector("#members");
  #toggle = document.querySelector("#members-button");
  #count = document.querySelector("#members-count");
  #title = document.querySelector("#members-title");
  #list = document.querySelector("#member-list");
  #more = document.querySelector("#members-more");
  #template = document.querySelector("#member-template");
  #buttons = Object.fromEntries(
    ["invite", "rename", "leave", "delete"].map((name) => [name, document.querySelector(`#${name}-room, #${name}`)]),
  );
  #people = new Map();
  #shown;
  #onOpen;

  /** @param actions {invite, rename, leave, delete}: () => void
   *  @param onPerson (person) => void
   *  @param onOpen   () => void: it can be seen now */
  constructor({ actions, onPerson, onOpen, signal }) {
    this.#onOpen = onOpen;
    for (const [name, button] of Object.entries(this.#buttons)) {
      button.addEventListener("click", actions[name], { signal });
    }
    this.#list.replaceChildren();
    this.#list.addEventListener("click", ({ target }) => {
      const id = target.closest("li")?.dataset.user;
      if (id) onPerson(this.#people.get(id));
    }, { signal });
    this.#toggle.addEventListener("click", () => this.#show(!this.isOpen, true), { signal });
    document.querySelector("#members-close").addEventListener("click", () => this.#dismiss(), { signal });
    document.querySelector("#backdrop").addEventListener("click", () => !BESIDE.matches && this.#show(false), { signal });
    this.#panel.addEventListener("keydown", ({ key }) => key === "Escape" && this.#dismiss(), { signal });
    BESIDE.addEventListener("change", () => this.#show(BESIDE.matches), { signal });
    this.#show(BESIDE.matches);
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  /** Where it covers the messages, it makes way for them. */
  makeWay() {
    if (!BESIDE.matches) this.#show(false);
  }

  render(room) {
    const { info, presence, isMine, kind } = room;
    const online = presence.known ? presence.count : undefined;
    this.#count.textContent = online === undefined ? "" : online.toLocaleString();
    this.#toggle.setAttribute("aria-label", online === undefined ? "Members" : `Members, ${online} online`);
    if (!this.isOpen) return;
    const shown = [room, info, presence.known, presence.version];
    if (shown.every((each, at) => each === this.#shown?.[at])) return;
    this.#shown = shown;
    const people = membersOf(room);
    this.#title.textContent = heading(room, online);
    this.#people = new Map(people.map((person) => [person.id, person]));
    while (this.#list.children.length > people.length) this.#list.lastElementChild.remove();
    while (this.#list.children.length < people.length) this.#list.append(this.#template.content.cloneNode(true));
    people.forEach((person, index) => renderMember(this.#list.children[index], person));
    const further = (kind === "public" ? presence.count : (info?.member_count ?? 0)) - people.length;
    this.#more.hidden = further <= 0;
    this.#more.textContent = `and ${further.toLocaleString()} more`;
    this.#buttons.invite.hidden = kind !== "group" || !info;
    this.#buttons.rename.hidden = this.#buttons.delete.hidden = !isMine;
    this.#buttons.leave.hidden = kind !== "public" && this.#buttons.invite.hidden;
    this.#buttons.leave.textContent = kind === "group" ? "Leave group" : "Leave room";
  }

  #dismiss() {
    this.#show(false);
    this.#toggle.focus();
  }

  #show(open, byHand = false) {
    this.#panel.hidden = !open;
    this.#toggle.ariaExpanded = String(open);
    this.#chat.classList.toggle("members-open", open);
    if (!open) return;
    this.#shown = undefined;
    this.#onOpen();
    if (byHand && !BESIDE.matches) document.querySelector("#members-close").focus();
  }
}

/** Of a private room all members, of a public one those who are there. Whoever is online comes first. */
function membersOf({ info, presence, me }) {
  const people = (info?.members ?? presence.members).map(({ id, display_name }) => ({
    id,
    display_name,
    online: presence.known ? presence.has(id) : undefined,
    note: [id === me.id && "you", id === info?.owner && "owner"].filter(Boolean).join(", "),
  }));
  const all = sorted(people);
  return [...all.filter(({ online }) => online), ...all.filter(({ online }) => !online)];
}

function heading({ info, kind }, online) {
  if (kind === "public") return online === undefined ? "Online" : `${online.toLocaleString()} online`;
  const members = info ? `${info.member_count.toLocaleString()} members` : "Members";
  return online === undefined ? members : `${members}, ${online.toLocaleString()} online`;
}

function renderMember(item, person) {
  item.dataset.user = person.id;
  item.dataset.online = person.online ?? "unknown";
  showAvatar(item.querySelector(".avatar"), person, person.online);
  item.querySelector(".member-name").textContent = person.display_name;
  item.querySelector(".member-note").textContent = person.note;
  const state = person.online === undefined ? "" : person.online ? ", online" : ", offline";
  item.querySelector("[data-part=state]").textContent = state;
}
