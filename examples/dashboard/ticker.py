"""A ticker: prices as `event`s, ten times a second. Whoever is slow gets the newest of each, and no backlog."""

import asyncio
import os
import random

import aiohttp
import socketio

URL = os.environ.get("PARLEY_URL", "http://127.0.0.1:8080")
ROOM = os.environ.get("PARLEY_ROOM", "dashboard")
TICKS = int(os.environ.get("TICKS", "600"))


async def main() -> None:
    async with aiohttp.ClientSession(URL) as http, http.post("/api/guest", json={"display_name": "Ticker"}) as reply:
        session = await reply.json()
    client = socketio.AsyncClient()
    await client.connect(URL, auth={"token": session["access_token"]})
    await client.call("join", {"room": ROOM})

    prices = {"AMBER": 120.0, "BASALT": 45.0, "COBALT": 310.0}
    for tick in range(1, TICKS + 1):
        for name, before in prices.items():
            prices[name] = before * (1 + (random.random() - 0.5) / 50)
            data = {"tick": tick, "price": round(prices[name], 2)}
            await client.emit("event", {"room": ROOM, "name": name, "data": data})
        await asyncio.sleep(0.1)
    await client.call("event", {"room": ROOM, "name": "closed", "data": {"tick": TICKS}})
    print(f"published {TICKS} ticks")
    await client.disconnect()


asyncio.run(main())
