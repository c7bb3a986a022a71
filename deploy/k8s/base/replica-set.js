// Makes this node a replica set of one, with the users that docs/ARCHITECTURE.md names, and succeeds once it accepts writes.
// Run again and again by the health check of docker-compose.yml and the startup probe of mongodb.yaml, so every step must
// do nothing where it is done already. The first user is made by MongoDB's localhost exception, all others by that one.
const fs = require("fs");
const password = (user) => fs.readFileSync(`/run/parley/credentials/${user}.password`, "utf8").trim();
const admin = db.getSiblingDB("admin");
const signIn = () => {
  try {
    return Boolean(admin.auth("root", password("root")).ok);
  } catch (error) {
    if (error.codeName !== "AuthenticationFailed") throw error;
    return false; // there are no users yet
  }
};

let isSignedIn = signIn();
try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: process.env.REPLICA_SET_HOST }] });
}
if (!db.hello().isWritablePrimary) quit(1); // the election takes a second or two

if (!isSignedIn) {
  admin.createUser({ user: "root", pwd: password("root"), roles: ["root"] });
  isSignedIn = signIn();
}
// History removes nothing; its indexes are made by the admin step.
const added = { resource: { db: "parley_history", collection: "" }, actions: ["find", "insert", "update", "listIndexes"] };
if (!admin.getRole("parleyHistory")) admin.createRole({ role: "parleyHistory", privileges: [added], roles: [] });
const roles = {
  auth: [{ role: "readWrite", db: "parley" }],
  history: ["parleyHistory"],
  admin: [{ role: "readWrite", db: "parley_history" }],
};
for (const user of Object.keys(roles)) {
  const what = { pwd: password(user), roles: roles[user] };
  if (admin.getUser(user)) admin.updateUser(user, what);
  else admin.createUser({ user, ...what });
}
