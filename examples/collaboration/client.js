// A live space: who is there, and where they point. Pointers are `event`s: as fast as may be, and never stored.
import { io } from "socket.io-client";

const url = process.env.PARLEY_URL ?? "http://127.0.0.1:8080";
const room = process.env.PARLEY_ROOM ?? "whiteboard";
const EVERY_MS = 50; // 20 a second are smooth enough, and a socket may send 50

async function signIn(name) {
  const body = JSON.stringify({ display_name: name });
  const { access_token: token } = await (await fetch(`${url}/api/guest`, { method: "POST", body })).json();
  return io(url, { auth: { token } });
}

/** Sends the latest of what it is given, and no more often than that. */
function throttled(send) {
  let latest, timer;
  return (value) => {
    latest = value;
    timer ??= setTimeout(() => ((timer = undefined), send(latest)), EVERY_MS);
  };
}

const once = (socket, event, test = () => true) =>
  new Promise((resolve) => socket.on(event, (shown) => test(shown) && resolve(shown)));

const ann = await signIn("Ann");
await ann.emitWithAck("join", { room });
const coming = once(ann, "presence", ({ display_name, state }) => display_name === "Bob" && state === "online");
const bob = await signIn("Bob");
await bob.emitWithAck("join", { room });
console.log(`${(await coming).display_name} is here`);
const { members } = await bob.emitWithAck("presence", { room });
console.log("together:", members.map(({ display_name }) => display_name).sort().join(", "));

let seen = 0;
ann.on("event", ({ name }) => (seen += name === "cursor"));
const end = once(ann, "event", ({ name, data }) => name === "cursor" && data.x === 100);
const point = throttled((data) => bob.emit("event", { room, name: "cursor", data }));
for (let x = 0; x <= 100; x++) {
  point({ x, y: 2 * x });
  await new Promise((resolve) => setTimeout(resolve, 5));
}
const { data } = await end;
console.log(`Bob points at ${data.x}, ${data.y}; he moved 101 times, Ann was told ${seen < 50 ? "less often" : seen}`);

const going = once(ann, "presence", ({ state }) => state === "offline");
bob.disconnect();
console.log(`${(await going).display_name} has gone`);
ann.disconnect();
