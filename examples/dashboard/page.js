// A dashboard: draws the newest price of each name, once a frame, however often they change.
import { io } from "/web/vendor/socket.io.esm.min.js";

const room = new URLSearchParams(location.search).get("room") ?? "dashboard";
const POINTS = 100;
const state = document.querySelector("#state");
const rows = new Map(); // by name: what is drawn, and the prices so far

function row(name) {
  const item = document.querySelector("#row").content.firstElementChild.cloneNode(true);
  item.querySelector("strong").textContent = name;
  document.querySelector("#prices").append(item);
  return { prices: [], output: item.querySelector("output"), line: item.querySelector("polyline"), dirty: true };
}

function draw() {
  for (const each of rows.values()) {
    if (!each.dirty) continue;
    each.dirty = false;
    const [low, high] = [Math.min(...each.prices), Math.max(...each.prices)];
    const points = each.prices.map((price, x) => `${x},${high === low ? 5 : 10 - (10 * (price - low)) / (high - low)}`);
    each.output.textContent = each.prices.at(-1).toFixed(2);
    each.line.ownerSVGElement.setAttribute("viewBox", `0 0 ${POINTS - 1} 10`);
    each.line.setAttribute("points", points.join(" "));
  }
  requestAnimationFrame(draw);
}

// Another guest for each connection: their tokens do not last as long as a dashboard is left open.
async function auth(send) {
  const guest = { method: "POST", body: JSON.stringify({ display_name: "Dashboard" }) };
  send({ token: (await (await fetch("/api/guest", guest)).json()).access_token });
}

const socket = io({ auth, transports: ["websocket", "polling"] });
socket.on("connect", () => socket.emit("join", { room }, () => (state.textContent = `Watching “${room}”`)));
socket.on("disconnect", () => (state.textContent = "Reconnecting"));
socket.on("event", ({ name, data }) => {
  if (name === "closed") return void (state.textContent = `Closed after ${data.tick} ticks`);
  if (typeof data?.price !== "number") return; // anybody may send anything into a public room
  if (!rows.has(name)) rows.set(name, row(name));
  const { prices } = Object.assign(rows.get(name), { dirty: true });
  prices.push(data.price);
  if (prices.length > POINTS) prices.shift();
});
draw();
