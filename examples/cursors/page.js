// Shared cursors: whoever has this page open sees where the others point. Open it in two windows.
import { io } from "/web/vendor/socket.io.esm.min.js";

const query = new URLSearchParams(location.search);
const room = query.get("room") ?? "cursors";
const name = query.get("name") ?? `Guest ${1 + Math.floor(Math.random() * 99)}`;
const EVERY_MS = 50; // 20 a second are smooth enough, and a socket may send 50
const FORGOTTEN_MS = 10_000;
const HUES = 6;
const board = document.querySelector("#board");
const state = document.querySelector("#state");
const cursors = new Map(); // by user: what is drawn, and when it was last heard of

function cursor(user, text) {
  const shown = document.createElement("div");
  const label = document.createElement("span");
  label.textContent = text;
  shown.className = `cursor hue-${[...user].reduce((sum, letter) => sum + letter.codePointAt(), 0) % HUES}`;
  shown.append(label);
  board.append(shown);
  return { shown };
}

function remove(user) {
  cursors.get(user)?.shown.remove();
  cursors.delete(user);
}

// Another guest for each connection: their tokens do not last as long as a board is left open.
async function auth(send) {
  const guest = { method: "POST", body: JSON.stringify({ display_name: name }) };
  send({ token: (await (await fetch("/api/guest", guest)).json()).access_token });
}

const socket = io({ auth, transports: ["websocket", "polling"] });
socket.on("connect", () => socket.emit("join", { room }, () => (state.textContent = `You are ${name}. Move about, here and in another window.`)));
socket.on("disconnect", () => (state.textContent = "Reconnecting"));
socket.on("presence", ({ user, state }) => state === "offline" && remove(user));
socket.on("event", (event) => {
  const { x, y, by } = event.data ?? {};
  if (event.name !== "cursor" || typeof x !== "number" || typeof y !== "number") return;
  if (!cursors.has(event.user)) cursors.set(event.user, cursor(event.user, String(by)));
  const { shown } = Object.assign(cursors.get(event.user), { at: Date.now() });
  shown.style.transform = `translate(${x * board.clientWidth}px, ${y * board.clientHeight}px)`;
});
setInterval(() => cursors.forEach(({ at }, user) => Date.now() - at > FORGOTTEN_MS && remove(user)), 1000);

let latest, timer; // of one's own: the newest goes out, and no more often than that
board.addEventListener("pointermove", ({ clientX, clientY }) => {
  const { left, top } = board.getBoundingClientRect();
  latest = { x: (clientX - left) / board.clientWidth, y: (clientY - top) / board.clientHeight, by: name };
  timer ??= setTimeout(() => {
    timer = undefined;
    socket.volatile.emit("event", { room, name: "cursor", data: latest });
  }, EVERY_MS);
});
