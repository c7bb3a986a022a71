// Makes the nodes that REPLICA_SET_MEMBERS names a replica set, with the users that docs/ARCHITECTURE.md names, and
// succeeds once this node is a working member of it. Run again and again, on every node, by the startup probe of
// mongodb.yaml and the health check of docker-compose.yml: each step does nothing where it is done already, and whatever
// goes wrong because another node does the same, or is not there yet, is right the next time.
const fs = require("fs");
const os = require("os");
const members = process.env.REPLICA_SET_MEMBERS.split(",");
const password = (user) => fs.readFileSync(`/run/parley/credentials/${user}.password`, "utf8").trim();
const admin = db.getSiblingDB("admin");
const signIn = () => {
  try {
    return Boolean(admin.auth("root", password("root")).ok);
  } catch (error) {
    if (error.codeName !== "AuthenticationFailed") throw error;
    return false; // there are no users yet, or none that this node knows
  }
};

const lookAgain = () => {
  const { config } = admin.runCommand({ replSetGetConfig: 1 });
  const replSetReconfig = { ...config, version: Number(config.version) + 1 };
  if (config.members.length === 1) admin.runCommand({ replSetReconfig, force: true });
};

const isSignedIn = signIn();
try {
  rs.status();
} catch (error) {
  // When it started, its name led to where it was before, so it did not find itself in its own set. The others of a set
  // tell it; the only one has to look again, at the same set.
  if (isSignedIn && error.codeName === "InvalidReplicaSetConfig") lookAgain();
  if (error.codeName !== "NotYetInitialized") throw error;
  // One of them initiates, the first; MongoDB refuses if another member belongs to a set already or does not answer. So
  // a first one that has lost its volume makes no second set: the others bring it back into theirs.
  const isFirst = members[0].split(/[.:]/)[0] === os.hostname();
  if (isFirst) rs.initiate({ _id: "rs0", members: members.map((host, _id) => ({ _id, host })) });
}

// The first user is made by MongoDB's localhost exception, all others by that one.
if (!isSignedIn && db.hello().isWritablePrimary) {
  admin.createUser({ user: "root", pwd: password("root"), roles: ["root"] });
}

// From here on it is the primary's turn, wherever that is.
const root = `root:${encodeURIComponent(password("root"))}`;
const options = "replicaSet=rs0&serverSelectionTimeoutMS=5000";
const primary = new Mongo(`mongodb://${root}@${members.join(",")}/admin?${options}`).getDB("admin");

const { config } = primary.runCommand({ replSetGetConfig: 1 });
const missing = members.find((host) => !config.members.some((each) => each.host === host));
if (missing) {
  // One at a time: MongoDB lets one join, and it has to have copied everything before it votes.
  const _id = Math.max(...config.members.map((each) => Number(each._id))) + 1;
  const added = [...config.members, { _id, host: missing }];
  primary.runCommand({ replSetReconfig: { ...config, version: Number(config.version) + 1, members: added } });
}

// History removes nothing; its indexes are made by the admin step.
const added = { resource: { db: "parley_history", collection: "" }, actions: ["find", "insert", "update", "listIndexes"] };
if (!primary.getRole("parleyHistory")) primary.createRole({ role: "parleyHistory", privileges: [added], roles: [] });
const roles = {
  auth: [{ role: "readWrite", db: "parley" }],
  history: ["parleyHistory"],
  admin: [{ role: "readWrite", db: "parley_history" }],
};
for (const user of Object.keys(roles)) {
  const what = { pwd: password(user), roles: roles[user] };
  if (primary.getUser(user)) primary.updateUser(user, what);
  else primary.createUser({ user, ...what });
}

const here = db.hello();
quit(!missing && (here.isWritablePrimary || here.secondary) ? 0 : 1);
