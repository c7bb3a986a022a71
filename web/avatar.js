import { hueOf, initials } from "./format.js";

/** Make `element` stand for somebody: always the same colour for the same id. `online` undefined: nobody knows. */
export function showAvatar(element, { id, display_name: name }, online) {
  element.textContent = initials(name);
  element.dataset.hue = hueOf(id);
  if (online === undefined) delete element.dataset.online;
  else element.dataset.online = String(online);
}
