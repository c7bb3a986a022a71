import { request } from "./http.js";

const post = (path, body, token) => request("POST", path, { body, token });

/** Each answers a Session, `{user, access_token, token_type, expires_in, refresh_token}`, or throws ParleyError. */
export const enterAsGuest = (displayName) => post("/api/guest", { display_name: displayName });
export const signIn = (username, password) => post("/api/login", { username, password });
export const createAccount = (username, password, displayName) =>
  post("/api/register", { username, password, display_name: displayName || undefined });
export const refreshSession = (refreshToken) => post("/api/refresh", { refresh_token: refreshToken });

export const signOut = (accessToken) => post("/api/logout", undefined, accessToken);
