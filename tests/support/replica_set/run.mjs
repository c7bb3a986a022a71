// Runs deploy/k8s/base/replica-set.js where there is no mongod: against a model of what it uses of mongosh and of a
// replica set. It stands for the rules that the script counts on, as MongoDB's manual has them, and for nothing else.
//
// Standard input: {script, steps: [{host, members, state?}]}. Before each step the members in `state.up` are those that
// run, the one in `state.primary` is the primary, and the one in `state.strayed` did not find itself. Output: for each step, the exit code or the error, and the set.
import { text } from "node:stream/consumers";
import vm from "node:vm";

class MongoError extends Error {
  constructor(codeName) {
    super(codeName);
    this.codeName = codeName;
  }
}

class Quit extends Error {}

const set = { config: null, primary: null, strayed: null, up: [], users: new Map(), roles: new Set(), writes: 0 };

function admin(isPrimary, isSignedIn) {
  const mayWrite = () => {
    if (!isPrimary()) throw new MongoError("NotWritablePrimary");
    set.writes += 1;
  };
  const may = () => {
    if (!isSignedIn.value && set.users.size > 0) throw new MongoError("Unauthorized");
  };
  return {
    auth(user, password) {
      if (set.users.get(user)?.pwd !== password) throw new MongoError("AuthenticationFailed");
      isSignedIn.value = true;
      return { ok: 1 };
    },
    createUser({ user, ...what }) {
      may();
      // The localhost exception is for the first user alone.
      if (!isSignedIn.value && set.users.size > 0) throw new MongoError("Unauthorized");
      mayWrite();
      if (set.users.has(user)) throw new MongoError("Location51003");
      set.users.set(user, what);
    },
    updateUser(user, what) {
      may();
      mayWrite();
      set.users.set(user, what);
    },
    getUser(user) {
      may();
      return set.users.get(user) ?? null;
    },
    getRole: (role) => set.roles.has(role),
    createRole({ role }) {
      may();
      mayWrite();
      set.roles.add(role);
    },
    runCommand(command) {
      may();
      if (command.replSetGetConfig) return { config: structuredClone(set.config) };
      const { version, members } = command.replSetReconfig;
      if (command.force) {
        set.strayed = null;
        set.config = structuredClone({ ...set.config, version, members });
        return { ok: 1 };
      }
      const added = members.filter((each) => !set.config.members.some((old) => old.host === each.host));
      if (version !== set.config.version + 1) throw new MongoError("NewReplicaSetConfigurationIncompatible");
      if (added.length > 1) throw new MongoError("NewReplicaSetConfigurationIncompatible");
      if (new Set(members.map((each) => each._id)).size !== members.length) throw new MongoError("BadValue");
      mayWrite();
      set.config = structuredClone({ ...set.config, version, members });
      return { ok: 1 };
    },
  };
}

function step(script, { host, members, state }) {
  Object.assign(set, state);
  const isMember = () => set.strayed !== host && isNamed();
  const isNamed = () => set.config?.members.some((each) => each.host === host) ?? false;
  const isPrimary = () => isMember() && set.primary === host;
  const here = { value: false };
  class Mongo {
    constructor(uri) {
      const [, user, password, hosts] = uri.match(/^mongodb:\/\/(\w+):([^@]+)@([^/]+)\/admin\?replicaSet=rs0&/);
      if (!set.config || !hosts.split(",").includes(set.primary)) throw new MongoError("ServerSelectionFailed");
      this.admin = admin(() => true, { value: false });
      this.admin.auth(user, decodeURIComponent(password));
    }
    getDB = () => this.admin;
  }
  const globals = {
    Mongo,
    process: { env: { REPLICA_SET_MEMBERS: members } },
    require: (name) => ({ os: { hostname: () => host.split(/[.:]/)[0] }, fs: { readFileSync: (path) => `${path}\n` } })[name],
    db: {
      getSiblingDB: () => admin(isPrimary, here),
      hello: () => ({ isWritablePrimary: isPrimary(), secondary: isMember() && !isPrimary() }),
    },
    rs: {
      status() {
        if (!isNamed()) throw new MongoError("NotYetInitialized");
        if (!isMember()) throw new MongoError("InvalidReplicaSetConfig");
      },
      initiate(config) {
        if (set.config) throw new MongoError("InvalidReplicaSetConfig"); // the others belong to a set already
        if (!config.members.every((each) => set.up.includes(each.host))) throw new MongoError("NodeNotFound");
        set.config = structuredClone({ ...config, version: 1 });
      },
    },
    quit(code) {
      throw Object.assign(new Quit(), { code });
    },
  };
  let result = "did not quit";
  try {
    vm.runInNewContext(script, globals);
  } catch (error) {
    if (error instanceof Quit) result = error.code;
    else if (error instanceof MongoError) result = error.codeName;
    else throw error;
  }
  return {
    result,
    members: set.config?.members.map((each) => each.host) ?? null,
    users: Object.fromEntries([...set.users].map(([user, what]) => [user, what.roles])),
    writes: set.writes,
  };
}

const { script, steps } = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(steps.map((each) => step(each.script ?? script, each))));
