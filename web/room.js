import { Presence } from "./presence.js";
import { Reading } from "./reading.js";
import { kindOf, titleOf } from "./room-names.js";
import { Timeline } from "./timeline.js";
import { TypingMembers } from "./typing-members.js";

const PAGE = 50;
const MOST_KEPT = 1000;
const KEPT_AFTER_TRIM = 400;

/** What the page knows about one room. Calls `changed(room)` after every change. */
export class Room {
  timeline = new Timeline();
  reading = new Reading();
  presence = new Presence();
  draft = "";
  /** Of a private room: what the server says of it, `{name?, owner?, member_count, members?}`. */
  info = undefined;
  /** We are about to leave or delete it ourselves. */
  isGoing = false;
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

  constructor(id, me, client, changed) {
    this.id = id;
    this.me = me;
    this.kind = kindOf(id);
    this.#client = client;
    this.#changed = () => changed(this);
    this.typing = new TypingMembers(this.#changed);
  }

  get title() {
    return titleOf(this);
  }

  /** As it is spoken of: `#lobby`, `Weekend plans`. */
  get label() {
    return this.kind === "public" ? `#${this.id}` : this.title;
  }

  get isMine() {
    return this.kind === "group" && this.info?.owner === this.me.id;
  }

  /** Whom a direct conversation is with, once that is known. */
  get partner() {
    return this.kind === "direct" ? this.info?.members?.find(({ id }) => id !== this.me.id) : undefined;
  }

  /** What `GET /api/rooms` and `GET /api/rooms/{room}` say of it. */
  onInfo(info) {
    if (this.kind !== "public") this.info = info;
    this.reading.count(info);
    this.#changed();
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
    this.presence.known = false;
    this.olderFailed = false;
    this.#changed();
  }

  onRefused(error) {
    this.status = "refused";
    this.error = error;
    this.typing.clear();
  }

  onMessage(message) {
    this.timeline.add(withSender(message));
    if (message.from?.id !== this.me.id) this.reading.onMessage(message.seq);
    this.typing.set(message.from?.id, "", false);
    this.#changed();
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
      const { messages, more } = await this.#client.history(this.id, { before, limit: PAGE });
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
    return this.timeline.authorOf(id)?.display_name ?? "Somebody";
  }
}

/** A message without a sender came from the platform itself. */
function withSender(message) {
  return message.from ? message : { ...message, from: { id: "", display_name: "Parley" } };
}
