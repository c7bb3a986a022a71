import { ParleyError } from "./parley-error.js";

async function post(path, body, headers = {}) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { ...(body && { "content-type": "application/json" }), ...headers },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout?.(15_000),
    });
  } catch {
    throw new ParleyError({ code: "unavailable", message: "The server cannot be reached. Check your connection." });
  }
  const answer = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (response.ok) return answer;
  const message = answer?.detail || answer?.title || `The server answered with status ${response.status}.`;
  throw new ParleyError({ code: answer?.code, message, retry_after: answer?.retry_after });
}

/** Each answers a Session, `{user, access_token, token_type, expires_in, refresh_token}`, or throws ParleyError. */
export const enterAsGuest = (displayName) => post("/api/guest", { display_name: displayName });
export const signIn = (username, password) => post("/api/login", { username, password });
export const createAccount = (username, password, displayName) =>
  post("/api/register", { username, password, display_name: displayName || undefined });
export const refreshSession = (refreshToken) => post("/api/refresh", { refresh_token: refreshToken });

export const signOut = (accessToken) => post("/api/logout", undefined, { authorization: `Bearer ${accessToken}` });
