"""Every event of the client contract, good and refused, and everything that clients are sent."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from tests.support.described.events import CheckedClient, DescribedEvents
from tests.support.described.routes import Bearer, guest
from tests.support.stacks import unique
from tests.support.waiting import until


async def connecting(events: DescribedEvents, url: str, token: str) -> None:
    """Let in, and refused; a session that can be recovered is kept when its connection breaks."""
    for auth in ({"token": token}, {"token": "none"}, {"token": token, "recover": True}):
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket") as socket,
        ):
            await socket.receive_str(timeout=10)
            await socket.send_str(f"40{json.dumps(auth)}")
            answer = await socket.receive_str(timeout=10)
            name = "connect_error" if answer.startswith("44") else "connected"
            events.connect(auth, name, json.loads(answer[2:]))
            if name == "connected":
                await socket.send_str('420["join",{"room":"lobby"}]')
                while not (await socket.receive_str(timeout=10)).startswith("430"):
                    """The session event comes before the acknowledgement."""


async def talking(events: DescribedEvents, anybody: Bearer) -> None:
    """Three devices of two people, in a public room."""
    ann, bob, room = await guest(anybody), await guest(anybody), unique("room")
    async with (
        events.client(anybody.url, ann.token) as phone,
        events.client(anybody.url, ann.token) as laptop,
        events.client(anybody.url, bob.token) as other,
    ):
        for each in (phone, laptop, other):
            await each.join(room)
        sent = await phone.say(room, "m-1", data={"n": 1})
        assert (await phone.say(room, "m-1"))["duplicate"]
        await phone.call("presence", {"room": room})
        await phone.call("typing", {"room": room, "active": True})
        await phone.call("event", {"room": room, "name": "cursor", "data": [1, None]})
        await other.call("history", {"room": room, "before": sent["seq"] + 1, "limit": 1})
        await phone.call("read", {"room": room, "seq": sent["seq"]})
        await phone.call("refresh", {"token": ann.token})
        await _told(laptop, "message", "typing", "event", "read", "presence")
        await other.call("leave", {"room": room})
        await other.join(room, after=0)
        await _refused(other, bob.token)


async def _refused(client: CheckedClient, token: str) -> None:
    nowhere: dict[str, dict[str, Any]] = {
        "join": {"room": "g-nobodys"},
        "leave": {"room": "no id"},
        "message": {"room": "elsewhere", "id": "m-1", "body": "Hello!"},
        "typing": {"room": "elsewhere", "active": True},
        "event": {"room": "elsewhere", "name": "cursor", "data": 1},
        "history": {"room": "elsewhere"},
        "read": {"room": "elsewhere", "seq": 1},
        "refresh": {"token": f"{token}x"},
        "presence": {"room": "elsewhere"},
        "dismiss": {"id": "no id"},
    }
    for name, payload in nowhere.items():
        assert not (await client.call(name, payload))["ok"], name


async def membership(events: DescribedEvents, anybody: Bearer) -> None:
    """Who becomes a member of a group is told, and who is one no more."""
    ann, bob = await guest(anybody), await guest(anybody)
    async with events.client(anybody.url, bob.token) as client:
        made = await ann.ask("POST /api/rooms", 201, json={"members": [bob.id]})
        await _told(client, "added")
        await client.join(made["room"])
        path = f"/api/rooms/{made['room']}/members/{bob.id}"
        await ann.ask("DELETE /api/rooms/{room}/members/{user}", 204, path)
        await _told(client, "removed")


async def notified(events: DescribedEvents, anybody: Bearer, backend: Bearer) -> None:
    """What a backend tells a user is on both devices, until it is dismissed on one."""
    ann = await guest(anybody)
    async with events.client(anybody.url, ann.token) as phone, events.client(anybody.url, ann.token) as laptop:
        body = {"id": "n-1", "title": "Build 7", "body": "failed", "data": 7}
        await backend.ask(
            "POST /api/users/{user}/notifications", 202, f"/api/users/{ann.id}/notifications", json=body
        )
        await _told(phone, "notification")
        await phone.call("dismiss", {"id": "n-1"})
        await _told(laptop, "notification", "dismissed")


async def large_room(
    events: DescribedEvents, anybody: Bearer, other: Bearer, end: Callable[[], Awaitable[None]]
) -> None:
    """Of two rooms that the gateway of `other` takes for large ones; that gateway then comes to its `end`."""
    ann, bob = await guest(anybody), await guest(anybody)
    async with events.client(other.url, ann.token) as client, events.client(anybody.url, bob.token) as crowd:
        rooms = unique("large"), unique("large")
        for room in rooms:
            await client.join(room)
        # When it comes to the second, the gateways know each other, and who comes later is told who is there.
        for room in rooms:
            await crowd.join(room)
            for each in (client, crowd):
                await until(lambda each=each, room=room: _sees_two(each, room), "both")  # type: ignore[misc]
        await _told(client, "presence")
        await end()
        await _told(client, "draining")


async def _sees_two(client: CheckedClient, room: str) -> bool:
    return bool((await client.call("presence", {"room": room}))["count"] == 2)


async def expiring(events: DescribedEvents, url: str, token: str) -> None:
    """A token that lasts some seconds more."""
    async with events.client(url, token) as client:
        await _told(client, "expiring")


async def _told(client: CheckedClient, *names: str) -> None:
    await asyncio.gather(*(until(lambda name=name: bool(client.of(name)), name) for name in names))  # type: ignore[misc]
