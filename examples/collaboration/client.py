"""A live space: who is there, and where they point. Pointers are `event`s: as fast as may be, and never stored."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import socketio

URL = os.environ.get("PARLEY_URL", "http://127.0.0.1:8080")
ROOM = os.environ.get("PARLEY_ROOM", "whiteboard")
EVERY = 0.05  # 20 a second are smooth enough, and a socket may send 50


async def sign_in(name: str) -> socketio.AsyncClient:
    async with aiohttp.ClientSession(URL) as http, http.post("/api/guest", json={"display_name": name}) as reply:
        session = await reply.json()
    client = socketio.AsyncClient()
    await client.connect(URL, auth={"token": session["access_token"]})
    await client.call("join", {"room": ROOM})
    return client


class Throttled:
    """Sends the latest of what it is given, and no more often than that."""

    def __init__(self, send: Callable[[Any], Awaitable[Any]]) -> None:
        self.send = send
        self.latest: Any = None
        self.task: asyncio.Task[None] | None = None

    def __call__(self, value: Any) -> None:
        self.latest = value
        self.task = self.task or asyncio.create_task(self.later())

    async def later(self) -> None:
        await asyncio.sleep(EVERY)
        self.task = None  # what comes from now on is sent later
        await self.send(self.latest)


async def main() -> None:
    seen: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    presence: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    ann = await sign_in("Ann")
    ann.on("event", seen.put)
    ann.on("presence", presence.put)
    bob = await sign_in("Bob")
    print((await presence.get())["display_name"], "is here")
    there = await bob.call("presence", {"room": ROOM})
    print("together:", ", ".join(sorted(each["display_name"] for each in there["members"])))

    point = Throttled(lambda data: bob.emit("event", {"room": ROOM, "name": "cursor", "data": data}))
    for x in range(101):
        point({"x": x, "y": 2 * x})
        await asyncio.sleep(0.005)
    count = 1
    while (data := (await seen.get())["data"])["x"] < 100:
        count += 1
    told = "less often" if count < 50 else count
    print(f"Bob points at {data['x']}, {data['y']}; he moved 101 times, Ann was told {told}")

    await bob.disconnect()
    print((await presence.get())["display_name"], "has gone")
    await ann.disconnect()


asyncio.run(main())
