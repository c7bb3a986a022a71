"""A group: made, joined by those who were invited, renamed, left. To everybody else it is not there."""

import asyncio
import os
import uuid
from typing import Any

import aiohttp
import socketio

URL = os.environ.get("PARLEY_URL", "http://127.0.0.1:8080")


async def api(method: str, path: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(URL) as http, http.request(method, path, json=body, headers=headers) as reply:
        return None if reply.status == 204 else await reply.json()


async def sign_in(name: str) -> tuple[str, str, socketio.AsyncClient]:
    session = await api("POST", "/api/guest", {"display_name": name})
    client = socketio.AsyncClient()
    await client.connect(URL, auth={"token": session["access_token"]})
    return session["user"]["id"], session["access_token"], client


def once(client: socketio.AsyncClient, event: str) -> asyncio.Future[Any]:
    happened = asyncio.get_running_loop().create_future()
    client.on(event, happened.set_result)
    return happened


def names(group: dict[str, Any]) -> str:
    return ", ".join(sorted(each["display_name"] for each in group["members"]))


async def main() -> None:
    (_, ann, anns), (bob_id, bob, bobs), (carol_id, carol, carols) = [
        await sign_in(name) for name in ("Ann", "Bob", "Carol")
    ]
    group = await api("POST", "/api/rooms", {"name": "Lunch", "members": [bob_id]}, ann)
    print(f"{group['name']}: {names(group)}")
    room = f"/api/rooms/{group['room']}"
    await api("PUT", f"{room}/members/{carol_id}", token=bob)  # any member invites
    await api("PATCH", room, {"name": "Lunch on Friday"}, ann)  # the owner names it
    group = await api("GET", room, token=carol)
    print(f"{group['name']}: {names(group)}")

    for client in (anns, bobs, carols):
        await client.call("join", {"room": group["room"]})
    heard = [once(anns, "message"), once(bobs, "message")]
    await carols.call("message", {"room": group["room"], "id": uuid.uuid4().hex, "body": "Pizza?"})
    for message in await asyncio.gather(*heard):
        print(f"{message['from']['display_name']}: {message['body']}")

    removed = once(carols, "removed")
    await api("DELETE", f"{room}/members/{carol_id}", token=carol)  # she leaves
    print("Carol is out:", (await removed)["reason"])
    print("still there:", names(await api("GET", room, token=ann)))
    await api("DELETE", room, token=ann)
    for client in (anns, bobs, carols):
        await client.disconnect()


asyncio.run(main())
