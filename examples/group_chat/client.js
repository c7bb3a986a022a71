// A group: made, joined by those who were invited, renamed, left. To everybody else it is not there.
import { io } from "socket.io-client";

const url = process.env.PARLEY_URL ?? "http://127.0.0.1:8080";

async function signIn(name) {
  const body = JSON.stringify({ display_name: name });
  const { user, access_token: token } = await (await fetch(`${url}/api/guest`, { method: "POST", body })).json();
  const headers = { Authorization: `Bearer ${token}` };
  async function api(method, path, sent) {
    const reply = await fetch(url + path, { method, headers, body: sent && JSON.stringify(sent) });
    return reply.status === 204 ? undefined : reply.json();
  }
  return { ...user, api, socket: io(url, { auth: { token } }) };
}

const once = (socket, event) => new Promise((resolve) => socket.once(event, resolve));
const names = ({ members }) => members.map(({ display_name }) => display_name).sort().join(", ");

const ann = await signIn("Ann");
const bob = await signIn("Bob");
const carol = await signIn("Carol");

const { room, ...made } = await ann.api("POST", "/api/rooms", { name: "Lunch", members: [bob.id] });
console.log(`${made.name}: ${names(made)}`);
await bob.api("PUT", `/api/rooms/${room}/members/${carol.id}`); // any member invites
await ann.api("PATCH", `/api/rooms/${room}`, { name: "Lunch on Friday" }); // the owner names it
const { name, ...group } = await carol.api("GET", `/api/rooms/${room}`);
console.log(`${name}: ${names(group)}`);

for (const { socket } of [ann, bob, carol]) await socket.emitWithAck("join", { room });
const heard = [once(ann.socket, "message"), once(bob.socket, "message")];
await carol.socket.emitWithAck("message", { room, id: crypto.randomUUID(), body: "Pizza?" });
for (const { from, body } of await Promise.all(heard)) console.log(`${from.display_name}: ${body}`);

const removed = once(carol.socket, "removed");
await carol.api("DELETE", `/api/rooms/${room}/members/${carol.id}`); // she leaves
console.log("Carol is out:", (await removed).reason);
console.log("still there:", names(await ann.api("GET", `/api/rooms/${room}`)));
await ann.api("DELETE", `/api/rooms/${room}`);
for (const { socket } of [ann, bob, carol]) socket.disconnect();
