import { run } from "./dialog.js";

const dialog = document.querySelector("#ask-dialog");
const field = document.querySelector("#ask-field");
const input = field.querySelector("input");

/** Ask whether to go on, or with `value`, for a name. `act` gets the answer; see dialog.js. */
export function ask({ title, text = "", confirm, value, danger = false, act }) {
  dialog.querySelector("#ask-title").textContent = title;
  dialog.querySelector("#ask-text").textContent = text;
  const button = dialog.querySelector("[data-part=confirm]");
  button.textContent = confirm;
  button.classList.toggle("danger", danger);
  field.hidden = value === undefined;
  input.value = value ?? "";
  const done = run(dialog, () => act(input.value.trim()));
  if (value !== undefined) input.select();
  else (danger ? dialog.querySelector("[data-close]") : button).focus();
  return done;
}
