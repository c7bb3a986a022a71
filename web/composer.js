import { byteLength } from "./format.js";

const LIMIT = 16 * 1024;
const COUNT_FROM = 14 * 1024;

/** Where messages are written. Calls onSend(text), onType(), onStop(). */
export class Composer {
  #form = document.querySelector("#composer");
  #text = document.querySelector("#composer-text");
  #button = this.#form.querySelector("[data-testid=send-button]");
  #counter = document.querySelector("#composer-counter");
  #label;
  #enabled;

  constructor({ onSend, onType, onStop, signal }) {
    const send = () => {
      if (this.#button.disabled) return;
      const body = this.#body();
      this.draft = "";
      onSend(body);
    };
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      send();
      this.focus();
    }, { signal });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      send();
    }, { signal });
    this.#text.addEventListener("input", () => {
      this.#changed();
      if (this.#text.value) onType();
      else onStop();
    }, { signal });
  }

  get draft() {
    return this.#text.value;
  }

  set draft(text) {
    this.#text.value = text;
    this.#changed();
  }

  focus() {
    this.#text.focus();
  }

  setRoom(label, enabled) {
    if (this.#label === label && this.#enabled === enabled) return;
    this.#label = label;
    this.#enabled = enabled;
    this.#text.disabled = !enabled;
    this.#text.placeholder = enabled ? `Message ${label}` : "You cannot write here";
    this.#text.setAttribute("aria-label", `Message ${label}`);
    this.#changed();
  }

  /** What would be sent: without blank lines before and white space after. */
  #body() {
    return this.#text.value.replace(/^(?:[^\S\n]*\n)+/u, "").trimEnd();
  }

  #changed() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
    const body = this.#body();
    const bytes = byteLength(body);
    this.#button.disabled = !this.#enabled || !body || bytes > LIMIT;
    this.#counter.classList.toggle("over", bytes > LIMIT);
    if (bytes > LIMIT) this.#counter.textContent = `${(bytes - LIMIT).toLocaleString()} bytes too long`;
    else this.#counter.textContent = bytes >= COUNT_FROM ? `${(LIMIT - bytes).toLocaleString()} bytes left` : "";
  }
}
