// A chat on Socket.IO, whatever carries its messages between processes.
//
// From its documentation: NODE_ENV=production, WebSocket alone (no sticky sessions), bufferutil beside ws,
// perMessageDeflate off (the default), and the first HTTP request of a connection is let go of.
import { createServer } from "node:http";
import { Server } from "socket.io";

export function serve(options) {
  const http = createServer();
  const io = new Server(http, { transports: ["websocket"], serveClient: false, ...options });
  io.engine.on("connection", (socket) => {
    socket.request = null;
  });
  io.on("connection", (socket) => {
    socket.on("join", async ({ room }, ack) => {
      await socket.join(room);
      ack({ ok: true });
    });
    socket.on("message", (message, ack) => {
      io.to(message.room).emit("message", message);
      ack({ ok: true });
    });
  });
  http.listen({ port: Number(process.env.PORT), host: "127.0.0.1", backlog: 4096 });
  process.on("SIGTERM", () => process.exit(0));
}
