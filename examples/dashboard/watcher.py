"""A dashboard in a terminal: keeps the newest price of each name, and draws now and then, until trading is closed."""

import asyncio
import os
from typing import Any

import aiohttp
import socketio

URL = os.environ.get("PARLEY_URL", "http://127.0.0.1:8080")
ROOM = os.environ.get("PARLEY_ROOM", "dashboard")


async def main() -> None:
    async with aiohttp.ClientSession(URL) as http, http.post("/api/guest", json={"display_name": "Watcher"}) as reply:
        session = await reply.json()
    client = socketio.AsyncClient()
    newest: dict[str, dict[str, Any]] = {}
    closed = asyncio.Event()

    @client.on("connect")  # type: ignore[untyped-decorator]
    async def join() -> None:
        await client.emit("join", {"room": ROOM}, callback=lambda _: print("watching", ROOM))

    @client.on("event")  # type: ignore[untyped-decorator]
    def keep(event: dict[str, Any]) -> None:
        newest[event["name"]] = event["data"]
        if event["name"] == "closed":
            closed.set()

    def draw() -> None:
        if names := sorted(newest.keys() - {"closed"}):
            print("  ".join(f"{name} {newest[name]['price']:.2f}" for name in names), flush=True)

    await client.connect(URL, auth={"token": session["access_token"]})
    while not closed.is_set():
        await asyncio.sleep(0.5)
        draw()
    print(f"closed after {newest['closed']['tick']} ticks")
    await client.disconnect()


asyncio.run(main())
