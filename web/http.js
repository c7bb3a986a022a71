import { ParleyError } from "./parley-error.js";

const TIMEOUT_MS = 15_000;

let origin;

/**
 * When this page was loaded, in milliseconds, by the server's clock, or up to a second earlier: add performance.now(),
 * and you know what time it is there, however wrong the clock here is. NaN before the first answer.
 */
export const serverTimeOrigin = () => origin ?? NaN;

/** Ask the gateway. Answers what it said, undefined for nothing; throws ParleyError, `unavailable` without an answer. */
export async function request(method, path, { body, token } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { ...(body && { "content-type": "application/json" }), ...(token && { authorization: `Bearer ${token}` }) },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout?.(TIMEOUT_MS),
    });
  } catch {
    throw new ParleyError({ code: "unavailable", message: "The server cannot be reached. Check your connection." });
  }
  origin ??= Date.parse(response.headers.get("date")) - performance.now();
  const answer = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (response.ok) return answer;
  const message = answer?.detail || answer?.title || `The server answered with status ${response.status}.`;
  throw new ParleyError({ code: answer?.code, message, retry_after: answer?.retry_after });
}
