import { showAvatar } from "./avatar.js";
import { momentOf, shortTimeOf, timeOf } from "./format.js";
import { isPerson } from "./people.js";

const REASONS = {
  unavailable: "The server could not be reached.",
  rate_limited: "You are sending too fast.",
  too_large: "The message is too long.",
  forbidden: "You may not write here.",
};

const failedTemplate = document.querySelector("#failed-template");

/** One message on the page. `update` writes only what may have changed; the text itself never does. */
export class MessageView {
  element;
  #parts = {};
  #shown = "";

  constructor(template, entry, own) {
    this.element = template.content.firstElementChild.cloneNode(true);
    for (const part of this.element.querySelectorAll("[data-part]")) this.#parts[part.dataset.part] = part;
    const { avatar, sender, name, you, body } = this.#parts;
    showAvatar(avatar, entry.from);
    name.textContent = entry.from.display_name;
    sender.disabled = own || !isPerson(entry.from.id);
    if (!own) you.remove();
    body.textContent = entry.body;
    this.element.dataset.id = entry.id;
    this.element.dataset.sender = entry.from.id;
    this.own = own;
  }

  /** @param continues whether it follows another message of the same sender closely */
  update(entry, continues) {
    const state = entry.seq === undefined ? entry.state : this.own ? "sent" : "received";
    const shown = `${entry.seq} ${state} ${entry.ts} ${continues} ${entry.error?.code}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.element.dataset.seq = entry.seq ?? "";
    this.element.dataset.state = state;
    this.element.classList.toggle("continues", continues);
    this.#parts.time.textContent = timeOf(entry.ts);
    this.#parts.gutter.textContent = shortTimeOf(entry.ts);
    this.#parts.time.dateTime = new Date(entry.ts).toISOString();
    this.#parts.time.title = momentOf(entry.ts);
    this.#parts.gutter.title = momentOf(entry.ts);
    this.#parts.deliveryText.textContent = deliveryText(state, entry.error);
    const actions = this.element.querySelector(".failed-actions");
    if (state !== "failed") actions?.remove();
    else if (!actions) this.#parts.delivery.append(failedTemplate.content.cloneNode(true));
  }
}

function deliveryText(state, error) {
  if (state === "sending") return error ? "Sending again…" : "Sending…";
  if (state === "failed") return `Not sent. ${REASONS[error?.code] ?? error?.message ?? ""}`;
  return state === "sent" ? "Sent" : "";
}
