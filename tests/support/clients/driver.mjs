// Drives an official JavaScript client: `node driver.mjs PACKAGE`. Commands come as JSON lines on standard input, an
// array of those for one turn; what happens goes as JSON lines to standard output. Bytes are {"$": base64}.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { io } = createRequire(import.meta.url)(process.argv[2]);
const sockets = {};

const pack = (value) => {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return { $: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(pack);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, pack(each)]));
};
const unpack = (value) => {
  if (Array.isArray(value)) return value.map(unpack);
  if (value === null || typeof value !== "object") return value;
  if ("$" in value) return Buffer.from(value.$, "base64");
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unpack(each)]));
};
const tell = (is, more) => process.stdout.write(`${JSON.stringify({ is, ...pack(more) })}\n`);

const commands = {
  open({ url, namespace, options }) {
    const socket = (sockets[namespace] = io(url + namespace, options));
    if (namespace === "/") {
      socket.io.on("open", () => {
        const { engine } = socket.io;
        tell("opened", { namespace, transport: engine.transport.name });
        engine.on("upgrade", (transport) => tell("upgraded", { namespace, transport: transport.name }));
      });
    }
    socket.on("connect", () => tell("connect", { namespace, recovered: socket.recovered ?? false, pid: socket._pid }));
    socket.on("connect_error", (error) => tell("connect_error", { namespace, message: error.message, data: error.data, active: socket.active }));
    socket.on("disconnect", (reason) => tell("disconnect", { namespace, reason }));
    socket.onAny((name, ...args) => {
      const answer = typeof args.at(-1) === "function" ? args.pop() : undefined;
      tell("event", { namespace, name, args });
      answer?.(...args);
    });
  },
  call({ number, namespace, name, args, keep }) {
    // The library keeps it, and sends it on the next connection, if it may.
    if (!keep && !sockets[namespace].connected) return tell("lost", { number });
    sockets[namespace].emit(name, ...unpack(args), (...ack) => tell("ack", { number, ack }));
  },
  reopen({ namespace }) {
    sockets[namespace].disconnect().connect();
  },
  closeTransport() {
    sockets["/"].io.engine.close();
  },
  close({ namespace }) {
    sockets[namespace].disconnect();
  },
  end() {
    for (const socket of Object.values(sockets)) socket.disconnect();
    setTimeout(() => process.exit(0), 20); // the goodbye has to go out
  },
};

createInterface({ input: process.stdin })
  .on("line", (line) => {
    for (const command of JSON.parse(line)) commands[command.do](command);
  })
  .on("close", commands.end);
