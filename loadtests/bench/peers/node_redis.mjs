// Node's Socket.IO with the Redis adapter: publish and subscribe, at most once.
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { serve } from "./node_chat.mjs";

const publisher = createClient({ url: process.env.REDIS_URL });
const subscriber = publisher.duplicate();
await Promise.all([publisher.connect(), subscriber.connect()]);
serve({ adapter: createAdapter(publisher, subscriber) });
