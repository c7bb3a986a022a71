import { io } from "socket.io-client";

const url = "http://127.0.0.1:8080";
const guest = { method: "POST", body: JSON.stringify({ display_name: "Ann" }) };
const { access_token: token } = await (await fetch(`${url}/api/guest`, guest)).json();
const socket = io(url, { auth: { token } });
socket.on("message", ({ from, body }) => console.log(`${from.display_name}: ${body}`));
await socket.emitWithAck("join", { room: "lobby" });
const ack = await socket.emitWithAck("message", { room: "lobby", id: crypto.randomUUID(), body: "Hello!" });
console.log("stored as", ack.seq);
socket.disconnect();
