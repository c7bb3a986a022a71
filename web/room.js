import { Timeline } from "./timeline.js";
import { TypingMembers } from "./typing-members.js";

const PAGE = 50;
const MOST_KEPT = 1000;
const KEPT_AFTER_TRIM = 400;
export const ROOM_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** What the page knows about one room. Calls `changed(room)` after every change. */
export class Room {
  timeline = new Timeline();
  draft = "";
  unread = 0;
  /** joining | open | refused */
  status = "joining";
  error = undefined;
  hasOlder = false;
  loadingOlder = false;
  olderFailed = false;
  /** The next older page ends before this seq; undefined: before the oldest message held. */
  #oldest = undefined;
  #generation = 0;
  #client;
  #changed;

  constructor(name, me, client, changed) {
    this.name = name;
    this.me = me;
    this.#client = client;
    this.#changed = () => changed(this);
    this.typing = new TypingMembers(this.#changed);
  }

  onJoined({ seq, first }) {
    this.status = "open";
    if (first) {
      this.timeline.dropThrough(seq); // Left from before we were refused: history may not reach back to it.
      this.#generation++;
      this.loadingOlder = false;
      this.#oldest = seq + 1;
      this.hasOlder = seq > 0;
    }
    this.#changed();
    if (first || this.olderFailed) this.loadOlder();
  }

  onRefused(error) {
    this.status = "refused";
    this.error = error;
    this.typing.clear();
  }

  /** Returns whether the message is new to us. */
  onMessage(message) {
    const fresh = this.timeline.add(withSender(message));
    this.typing.set(message.from?.id, "", false);
    this.#changed();
    return fresh;
  }

  onTyping({ user, active }) {
    const id = user?.id ?? user;
    if (id === this.me.id) return;
    this.typing.set(id, user?.display_name ?? this.#nameOf(id), active);
  }

  /** Messages after `after` were skipped: what we hold would have a hole, so restart from what comes now. */
  onGap({ after }) {
    this.timeline.dropThrough(after);
    this.#restartPaging();
  }

  onDelivery(outcome) {
    this.timeline.report({ ...outcome, from: this.me });
    this.#changed();
  }

  /** Show one more page of the past. After an error it takes another call, or a reconnect. */
  async loadOlder() {
    if (!this.hasOlder || this.loadingOlder || this.status !== "open") return;
    const generation = this.#generation;
    this.loadingOlder = true;
    this.olderFailed = false;
    this.#changed();
    try {
      const before = this.#oldest ?? this.timeline.oldestSeq;
      const { messages, more } = await this.#client.history(this.name, { before, limit: PAGE });
      if (generation !== this.#generation) return;
      for (const message of messages) this.timeline.add(withSender(message));
      this.hasOlder = more && messages.length > 0;
      this.#oldest = Math.min(before ?? Infinity, ...messages.map(({ seq }) => seq));
    } catch {
      if (generation === this.#generation) this.olderFailed = true;
    } finally {
      if (generation === this.#generation) {
        this.loadingOlder = false;
        this.#changed();
      }
    }
  }

  /** Forget the distant past of a busy room while nobody looks at it. */
  trim() {
    if (this.timeline.entries.length > MOST_KEPT && this.timeline.trim(KEPT_AFTER_TRIM)) this.#restartPaging();
  }

  #restartPaging() {
    this.#generation++;
    this.#oldest = this.timeline.oldestSeq;
    this.hasOlder = true;
    this.loadingOlder = false;
    this.#changed();
  }

  #nameOf(id) {
    return this.timeline.entries.findLast(({ from }) => from.id === id)?.from.display_name ?? "Somebody";
  }
}

/** A message without a sender came from the platform itself. */
function withSender(message) {
  return message.from ? message : { ...message, from: { id: "", display_name: "Parley" } };
}
