import { momentOf, timeOf, dayOf } from "./format.js";
import { serverTimeOrigin } from "./http.js";
import * as toasts from "./toasts.js";

/** What backends have told the user, until it is dismissed. The server says it again after each connect. */
export class Notifications {
  #bell = document.querySelector("#bell");
  #badge = document.querySelector("#bell-badge");
  #panel = document.querySelector("#notifications");
  #list = document.querySelector("#notification-list");
  #all = document.querySelector("#dismiss-all");
  #nothing = document.querySelector("#no-notifications");
  #template = document.querySelector("#notification-template");
  #kept = new Map();
  /** Those that were shown once, so that nothing pops up twice; and those that are done with. */
  #seen = new Set();
  #dismissed = new Set();
  #began = performance.now();
  #client;
  #changed;

  constructor({ client, changed, signal }) {
    this.#client = client;
    this.#changed = changed;
    this.#bell.addEventListener("click", () => this.#show(this.#panel.hidden), { signal });
    this.#all.addEventListener("click", () => {
      for (const id of [...this.#kept.keys()]) this.#dismiss(id);
      this.#bell.focus();
    }, { signal });
    this.#list.addEventListener("click", ({ target }) => {
      const item = target.closest("button")?.closest("li");
      if (!item) return;
      const next = item.nextElementSibling ?? item.previousElementSibling;
      this.#dismiss(item.dataset.id);
      (next?.querySelector("button") ?? this.#bell).focus();
    }, { signal });
    document.addEventListener("click", (event) => {
      const path = event.composedPath();
      if (!path.includes(this.#panel) && !path.includes(this.#bell)) this.#show(false);
    }, { signal });
    this.#panel.parentElement.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#panel.hidden) return;
      event.stopPropagation();
      this.#show(false);
      this.#bell.focus();
    }, { signal });
    this.#show(false);
    this.#render();
  }

  get count() {
    return this.#kept.size;
  }

  /** A new connection: what is still kept comes again, and what was dismissed elsewhere does not. */
  onConnected() {
    this.#kept.clear();
    this.#render();
  }

  onNotification(notification) {
    const { id, title, body, ts } = notification;
    if (this.#dismissed.has(id)) {
      this.#tell(id); // It came before the server had heard of it.
      return;
    }
    // What is older was there before; and so was what comes before the server has answered, for all we know.
    const isNews = !this.#seen.has(id) && ts > serverTimeOrigin() + this.#began;
    if (isNews) {
      const action = { label: "Dismiss", run: () => this.#dismiss(id) };
      toasts.show({ title, text: body, action, about: `notification ${id}` });
    }
    this.#seen.add(id);
    this.#kept.set(id, notification);
    this.#render();
  }

  onDismissed({ id }) {
    this.#dismissed.add(id);
    this.#kept.delete(id);
    toasts.remove(`notification ${id}`);
    this.#render();
  }

  #dismiss(id) {
    this.onDismissed({ id });
    this.#tell(id);
  }

  #tell(id) {
    this.#client.dismiss(id).catch((error) => console.warn("Not dismissed; it will come again:", error));
  }

  #show(open) {
    this.#panel.hidden = !open;
    if (open) for (const id of this.#kept.keys()) toasts.remove(`notification ${id}`);
    this.#bell.ariaExpanded = String(open);
  }

  #render() {
    const { count } = this;
    this.#badge.hidden = count === 0;
    this.#badge.textContent = count || "";
    this.#bell.setAttribute("aria-label", count ? `Notifications, ${count} new` : "Notifications");
    this.#all.hidden = count < 2;
    this.#nothing.hidden = count > 0;
    const newestFirst = [...this.#kept.values()].sort((a, b) => b.ts - a.ts);
    this.#list.replaceChildren(...newestFirst.map((each) => this.#item(each)));
    this.#changed();
  }

  #item({ id, title, body, ts }) {
    const item = this.#template.content.firstElementChild.cloneNode(true);
    const part = (name) => item.querySelector(`[data-part=${name}]`);
    item.dataset.id = id;
    part("title").textContent = title;
    part("body").textContent = body ?? "";
    part("body").hidden = !body;
    part("time").textContent = `${dayOf(ts)}, ${timeOf(ts)}`;
    part("time").dateTime = new Date(ts).toISOString();
    part("time").title = momentOf(ts);
    item.querySelector("button").setAttribute("aria-label", `Dismiss: ${title}`);
    return item;
  }
}
