// A user's device: waits for one notification, and says that it was read, so that no other device shows it again.
import { io } from "socket.io-client";

const url = process.env.PARLEY_URL ?? "http://127.0.0.1:8080";

const guest = { method: "POST", body: JSON.stringify({ display_name: "Ann" }) };
const { user, access_token: token } = await (await fetch(`${url}/api/guest`, guest)).json();
console.log("user", user.id);
const socket = io(url, { auth: { token } });
const { id, title, body } = await new Promise((resolve) => socket.once("notification", resolve));
console.log(`${title}: ${body}`);
const { ok } = await socket.emitWithAck("dismiss", { id });
console.log(ok ? "read" : "not read");
socket.disconnect();
