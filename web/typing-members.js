const FORGET_MS = 6000;

/** Who is typing in a room right now. A notice that is not repeated counts for 6 s. */
export class TypingMembers {
  #members = new Map();
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  get names() {
    return Array.from(this.#members.values(), ({ name }) => name);
  }

  set(id, name, active) {
    clearTimeout(this.#members.get(id)?.timer);
    const known = this.#members.delete(id);
    if (active) this.#members.set(id, { name, timer: setTimeout(() => this.set(id, name, false), FORGET_MS) });
    if (active || known) this.#changed();
  }

  clear() {
    for (const { timer } of this.#members.values()) clearTimeout(timer);
    this.#members.clear();
    this.#changed();
  }
}

/** "Ada is typing…"; empty for nobody. */
export function typingText(names) {
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return "Several people are typing…";
}
