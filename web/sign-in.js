import { createAccount, enterAsGuest, signIn } from "./api.js";
import * as banner from "./error-banner.js";
import { ROOM_ID } from "./room-names.js";

const view = document.querySelector("#signin");
const form = document.querySelector("#signin-form");
const { username, password, display_name: displayName, room } = form.elements;
const button = form.querySelector("[data-testid=enter-button]");
const BUTTON = { guest: "Enter", login: "Sign in", register: "Create account" };

const mode = () => form.elements.mode.value;

/** Show the form. `onEnter(session, room)` is called once somebody is in. */
export function showSignIn({ preferredRoom, notice, onEnter }) {
  view.hidden = false;
  banner.moveTo(document.querySelector("#signin-error"));
  if (notice) banner.show(notice);
  room.value = preferredRoom;
  password.value = "";
  form.onsubmit = (event) => {
    event.preventDefault();
    submit(onEnter);
  };
  showMode();
  firstField().focus();
}

async function submit(onEnter) {
  const wrong = firstMistake();
  for (const input of form.querySelectorAll(".field input")) input.removeAttribute("aria-invalid");
  if (wrong) {
    wrong.input.setAttribute("aria-invalid", "true");
    wrong.input.focus();
    banner.show(wrong.text);
    return;
  }
  banner.hide();
  button.disabled = true;
  try {
    const session = await authenticate();
    view.hidden = true;
    onEnter(session, room.value.trim());
  } catch (error) {
    const wait = error.retryAfter ? ` Try again in ${Math.ceil(error.retryAfter)} s.` : "";
    banner.show(error.message + wait);
  } finally {
    button.disabled = false;
  }
}

function authenticate() {
  if (mode() === "login") return signIn(username.value.trim(), password.value);
  if (mode() === "register") return createAccount(username.value.trim(), password.value, displayName.value.trim());
  return enterAsGuest(displayName.value.trim());
}

function firstMistake() {
  const guest = mode() === "guest";
  if (guest && !displayName.value.trim()) return { input: displayName, text: "Please enter a name." };
  if (!guest && !username.value.trim()) return { input: username, text: "Please enter your username." };
  if (!guest && !password.value) return { input: password, text: "Please enter your password." };
  if (!ROOM_ID.test(room.value.trim())) {
    return { input: room, text: "A room name has 1 to 64 letters, digits, hyphens or underscores." };
  }
  return undefined;
}

function firstField() {
  return mode() === "guest" ? displayName : username;
}

function showMode() {
  for (const element of form.querySelectorAll("[data-modes]")) {
    element.hidden = !element.dataset.modes.split(" ").includes(mode());
  }
  password.autocomplete = mode() === "register" ? "new-password" : "current-password";
  button.textContent = BUTTON[mode()];
}

for (const choice of form.elements.mode) {
  choice.addEventListener("change", () => {
    banner.hide();
    showMode();
  });
}
