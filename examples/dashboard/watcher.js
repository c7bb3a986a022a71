// A dashboard in a terminal: keeps the newest price of each name, and draws now and then, until trading is closed.
import { io } from "socket.io-client";

const url = process.env.PARLEY_URL ?? "http://127.0.0.1:8080";
const room = process.env.PARLEY_ROOM ?? "dashboard";

const guest = { method: "POST", body: JSON.stringify({ display_name: "Watcher" }) };
const { access_token: token } = await (await fetch(`${url}/api/guest`, guest)).json();
const socket = io(url, { auth: { token } });
const newest = new Map();
const closed = new Promise((resolve) => {
  socket.on("event", ({ name, data }) => (name === "closed" ? resolve(data) : newest.set(name, data)));
});
socket.on("connect", () => socket.emit("join", { room }, () => console.log("watching", room)));

const line = () => [...newest].map(([name, { price }]) => `${name} ${price.toFixed(2)}`).sort().join("  ");
const drawing = setInterval(() => newest.size && console.log(line()), 500);
const { tick } = await closed;
clearInterval(drawing);
console.log(line());
console.log(`closed after ${tick} ticks`);
socket.disconnect();
