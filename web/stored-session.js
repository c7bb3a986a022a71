const KEY = "parley.session";

/**
 * The session of this tab: it survives a reload, and ends with the tab; a duplicate of the tab gets a copy.
 * `{session, shared, rooms, room}` or undefined.
 */
export function load() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(KEY));
    return stored?.session?.access_token && stored.session.user?.id ? stored : undefined;
  } catch {
    return undefined;
  }
}

/** A browser that refuses storage only loses the comfort of staying signed in. */
export function save(stored) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(stored));
  } catch (error) {
    console.warn("The session is not kept across reloads:", error);
  }
}

export function clear() {
  try {
    sessionStorage.removeItem(KEY);
  } catch (error) {
    console.warn("The session could not be cleared:", error);
  }
}
