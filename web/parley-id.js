/**
 * A random id of letters, digits and hyphens. `crypto.randomUUID` exists in secure contexts only: a page served
 * over plain http from another host has to make its own.
 */
export function randomId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
