import { refreshSession } from "./api.js";
import { randomId } from "./parley-id.js";
import { Turns } from "./turns.js";

/**
 * The session of a tab, which its duplicates share: a refresh token is good for one use, a second one ends the session.
 *
 * The tabs renew one after the other, and tell each other the new tokens. Whoever's turn it is asks the others first,
 * and takes what they have if it is newer; so does a tab that was opened, or came back, with tokens of before. The
 * tokens go over a BroadcastChannel: pages of this origin hear them, and nothing is kept outside of the tabs.
 *
 * A tab that is closed before the answer to its renewal has come takes the new tokens with it, as it does when it is
 * the only one: the session ends at the next renewal.
 */
export class SharedSession {
  #session;
  /** What all tabs of the session know it by. */
  #id;
  /** How often it was renewed: more is newer. */
  #renewals;
  #channel;
  #turns;
  #onTokens;
  #onSignedOut;
  #closed = false;

  /**
   * @param session      as the server answered it
   * @param shared       what `stored` said of it, if it was known before
   * @param onTokens     () => void: `session` has new tokens, from the server or from another tab
   * @param onSignedOut  () => void: in another tab
   */
  constructor({ session, shared, onTokens, onSignedOut }) {
    this.#session = session;
    this.#id = shared?.id ?? randomId();
    this.#renewals = shared?.renewals ?? 0;
    this.#onTokens = onTokens;
    this.#onSignedOut = onSignedOut;
    const name = `parley session ${this.#id}`;
    this.#channel = openChannel(name);
    this.#turns = new Turns(name, (message) => this.#tell({ ...message, renewals: this.#renewals }));
    this.#channel?.addEventListener("message", ({ data }) => this.#onMessage(data));
    this.#tell({ type: "ask", renewals: this.#renewals });
  }

  get session() {
    return this.#session;
  }

  get canRenew() {
    return Boolean(this.#session.refresh_token);
  }

  /** What a tab has to keep, and a duplicate gets: it goes into the constructor. */
  get stored() {
    return { session: this.#session, shared: { id: this.#id, renewals: this.#renewals } };
  }

  /** Returns once there are newer tokens than now, whoever got them, or the session was closed. Throws ParleyError. */
  async renew() {
    const known = this.#renewals;
    const isDone = () => this.#closed || this.#renewals > known;
    await this.#turns.take(isDone, async () => {
      this.#adopt(await refreshSession(this.#session.refresh_token), this.#renewals + 1);
      this.#tellTokens();
    });
  }

  /** Here and in the other tabs. */
  signOut() {
    this.#tell({ type: "signed-out" });
    this.close();
  }

  close() {
    this.#closed = true;
    this.#channel?.close();
    this.#turns.settle();
  }

  #tell(message) {
    if (!this.#closed) this.#channel?.postMessage(message);
  }

  #tellTokens() {
    this.#tell({ type: "tokens", session: this.#session, renewals: this.#renewals });
  }

  #onMessage(message) {
    if (this.#closed) return;
    const { type, session, renewals } = message;
    if (type === "tokens" && renewals > this.#renewals) this.#adopt(session, renewals);
    else if (type === "signed-out") this.#onSignedOut();
    else if (type === "ask" && renewals < this.#renewals) this.#tellTokens();
    else this.#turns.onMessage(message);
  }

  #adopt(session, renewals) {
    if (this.#closed) return;
    this.#session = { ...this.#session, ...session };
    this.#renewals = renewals;
    this.#turns.settle();
    this.#onTokens();
  }
}

/** A browser that refuses storage may refuse this, too; but then no other tab has a copy of the session. */
function openChannel(name) {
  try {
    return new BroadcastChannel(name);
  } catch (error) {
    console.warn("Other tabs are not told of this session:", error);
    return undefined;
  }
}
