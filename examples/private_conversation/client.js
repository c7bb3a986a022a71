// A private conversation: whoever opens it, two people have one room, and nobody else is let in.
import { io } from "socket.io-client";

const url = process.env.PARLEY_URL ?? "http://127.0.0.1:8080";

async function post(path, body, token) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  return (await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

async function signIn(name) {
  const { user, access_token: token } = await post("/api/guest", { display_name: name });
  return { user, token, socket: io(url, { auth: { token } }) };
}

function whatIsSaid(socket, author) {
  return new Promise((resolve) => socket.on("message", ({ from, body }) => from.id === author.id && resolve(body)));
}

const ann = await signIn("Ann");
const bob = await signIn("Bob");
const carol = await signIn("Carol");

const { room } = await post("/api/direct", { user: bob.user.id }, ann.token);
const again = await post("/api/direct", { user: ann.user.id }, bob.token);
console.log("one room for both:", room === again.room ? "yes" : "no");

const question = whatIsSaid(bob.socket, ann.user);
const answer = whatIsSaid(ann.socket, bob.user);
for (const { socket } of [ann, bob]) await socket.emitWithAck("join", { room });
await ann.socket.emitWithAck("message", { room, id: crypto.randomUUID(), body: "Are you there?" });
console.log("Bob reads:", await question);
await bob.socket.emitWithAck("message", { room, id: crypto.randomUUID(), body: "Always." });
console.log("Ann reads:", await answer);

const refusal = await carol.socket.emitWithAck("join", { room });
console.log("Carol is told:", refusal.error.code);
for (const { socket } of [ann, bob, carol]) socket.disconnect();
