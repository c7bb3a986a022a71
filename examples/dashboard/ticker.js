// A ticker: prices as `event`s, ten times a second. Whoever is slow gets the newest of each, and no backlog.
import { io } from "socket.io-client";

const url = process.env.PARLEY_URL ?? "http://127.0.0.1:8080";
const room = process.env.PARLEY_ROOM ?? "dashboard";
const ticks = Number(process.env.TICKS ?? 600);
const prices = { AMBER: 120, BASALT: 45, COBALT: 310 };

const guest = { method: "POST", body: JSON.stringify({ display_name: "Ticker" }) };
const { access_token: token } = await (await fetch(`${url}/api/guest`, guest)).json();
const socket = io(url, { auth: { token } });
await socket.emitWithAck("join", { room });

for (let tick = 1; tick <= ticks; tick++) {
  for (const name of Object.keys(prices)) {
    prices[name] *= 1 + (Math.random() - 0.5) / 50;
    socket.emit("event", { room, name, data: { tick, price: Number(prices[name].toFixed(2)) } });
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
}
await socket.emitWithAck("event", { room, name: "closed", data: { tick: ticks } });
console.log(`published ${ticks} ticks`);
socket.disconnect();
