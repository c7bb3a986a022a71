import { showAvatar } from "./avatar.js";
import { run } from "./dialog.js";

const dialog = document.querySelector("#person-dialog");
const remove = document.querySelector("#remove-person");
const state = document.querySelector("#person-state");

/**
 * Show somebody. `onMessage()` opens a conversation, `onRemove()`, if there is one, is asked for to put them out of
 * the group.
 */
export function showPerson({ person, own, onMessage, onRemove }) {
  showAvatar(dialog.querySelector("#person-avatar"), person, person.online);
  dialog.querySelector("#person-name").textContent = person.display_name;
  state.textContent = own ? "This is you." : person.online === undefined ? "" : person.online ? "Online" : "Offline";
  dialog.querySelector("[data-part=confirm]").hidden = own;
  remove.hidden = !onRemove;
  remove.onclick = () => {
    dialog.close();
    onRemove();
  };
  return run(dialog, onMessage);
}
