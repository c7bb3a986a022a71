/** Nobody counts further. */
const MOST = 100;

/** How much of a room its user has not read: what the server counted, and what has come since. */
export class Reading {
  /** Up to where the user has read it, on whichever device. */
  read = 0;
  /** The server has counted what came up to here. */
  #through = 0;
  #counted = 0;
  #since = [];

  /** Messages of others, 100 for "so many or more". */
  get unread() {
    return Math.min(MOST, this.#counted + this.#since.length);
  }

  get countedThrough() {
    return this.#through;
  }

  /** What the server says: `unread` messages of others above `read`, when `seq` was the last. Nothing, if it does not know. */
  count({ seq, read, unread }) {
    if (seq === undefined) return;
    this.#through = seq;
    this.#counted = this.read >= seq ? 0 : unread;
    this.read = Math.max(this.read, read);
    this.#forget(seq);
  }

  /** A message of somebody else. */
  onMessage(seq) {
    if (seq <= this.read || seq <= this.#through) return;
    this.#since.push(seq);
    if (this.#since.length > MOST) this.#since.shift();
  }

  /** Read up to `seq`, here or elsewhere. Returns whether only the server can tell what is left. */
  onRead(seq) {
    if (seq <= this.read) return false;
    this.read = seq;
    this.#forget(seq);
    if (seq >= this.#through) this.#counted = 0;
    return this.#counted > 0;
  }

  #forget(seq) {
    this.#since = this.#since.filter((each) => each > seq && each > this.read);
  }
}

/** As it is shown. */
export const shownCount = (unread) => (unread >= MOST ? "99+" : String(unread));
