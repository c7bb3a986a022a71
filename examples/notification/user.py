"""A user's device: waits for one notification, and says that it was read, so that no other device shows it again."""

import asyncio
import os
from typing import Any

import aiohttp
import socketio

URL = os.environ.get("PARLEY_URL", "http://127.0.0.1:8080")


async def main() -> None:
    async with aiohttp.ClientSession(URL) as http, http.post("/api/guest", json={"display_name": "Ann"}) as reply:
        session = await reply.json()
    print("user", session["user"]["id"], flush=True)
    client = socketio.AsyncClient()
    notified: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    client.on("notification", notified.put)
    await client.connect(URL, auth={"token": session["access_token"]})
    notification = await notified.get()
    print(f"{notification['title']}: {notification['body']}")
    dismissed = await client.call("dismiss", {"id": notification["id"]})
    print("read" if dismissed["ok"] else "not read")
    await client.disconnect()


asyncio.run(main())
