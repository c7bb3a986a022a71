// A backend tells a user something: node backend.js USER TITLE. On all devices at once, or when they are back.
const url = process.env.PARLEY_URL ?? "http://127.0.0.1:8080";
const [user, title] = process.argv.slice(2);
if (!title) {
  console.error("usage: node backend.js USER TITLE");
  process.exit(2);
}

const headers = { Authorization: `Bearer ${process.env.PARLEY_TOKEN}` }; // of: python -m services.auth token create
// Sent again with the same id, after an error or a crash, it is shown once.
const notification = { id: "order-7-sent", title, body: "It left the house at nine.", data: { order: 7 } };
const reply = await fetch(`${url}/api/users/${user}/notifications`, {
  method: "POST",
  headers,
  body: JSON.stringify(notification),
});
const told = await reply.json();
console.log(reply.status, reply.ok ? "kept until it was read" : told.detail);
