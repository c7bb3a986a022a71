// Drives the official JavaScript client: commands come as JSON lines on standard input, what happens goes as JSON
// lines to standard output.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { io } = require("socket.io-client");

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
let socket;

const commands = {
  connect({ url, token, options }) {
    socket = io(url, { auth: { token }, reconnectionDelay: 200, reconnectionDelayMax: 1000, ...options });
    socket.on("connect", () => tell({ is: "connected" }));
    socket.io.on("open", () => {
      const { engine } = socket.io;
      tell({ is: "opened", transport: engine.transport.name });
      engine.on("upgrade", (transport) => tell({ is: "upgraded", transport: transport.name }));
    });
    socket.on("connect_error", (error) => tell({ is: "refused", message: error.message, data: error.data }));
    socket.on("disconnect", (reason) => tell({ is: "disconnected", reason }));
    socket.onAny((name, payload, ...more) => tell({ is: "event", name, payload, more: more.length }));
  },
  async call({ number, event, payload }) {
    try {
      tell({ is: "ack", number, ack: await socket.timeout(15000).emitWithAck(event, payload) });
    } catch (error) {
      tell({ is: "ack", number, failed: String(error) });
    }
  },
  burst({ number, event, payloads }) {
    const sent = payloads.map((payload) => socket.timeout(15000).emitWithAck(event, payload).catch(String));
    Promise.all(sent).then((acks) => tell({ is: "ack", number, ack: acks }));
  },
  close() {
    socket?.close();
    process.exit(0);
  },
};

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const command = JSON.parse(line);
    commands[command.do](command);
  })
  .on("close", commands.close);
