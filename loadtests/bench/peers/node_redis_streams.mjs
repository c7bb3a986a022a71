// Node's Socket.IO with the Redis Streams adapter and connection state recovery: the newest messages are kept.
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { serve } from "./node_chat.mjs";

const client = createClient({ url: process.env.REDIS_URL });
await client.connect();
serve({
  adapter: createAdapter(client),
  connectionStateRecovery: { maxDisconnectionDuration: 2 * 60 * 1000, skipMiddlewares: true },
});
