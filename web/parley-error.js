/** A refusal by the server, or no answer at all (`unavailable`: what was asked may or may not have been done). */
export class ParleyError extends Error {
  constructor({ code = "internal", message, retry_after: retryAfter } = {}) {
    super(message || code);
    this.name = "ParleyError";
    this.code = code;
    /** Seconds to wait before trying again, if the server said so. */
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later without anybody changing anything. */
  get temporary() {
    return this.code === "unavailable" || this.code === "rate_limited";
  }
}

/** Milliseconds to wait before the next attempt: 0.5 s doubling to 8 s with jitter, never less than the server asked. */
export function backoff(attempt, retryAfter = 0) {
  const delay = Math.min(8000, 500 * 2 ** attempt);
  return Math.max(delay * (0.75 + Math.random() / 2), retryAfter * 1000);
}
