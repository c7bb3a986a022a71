"""Order per socket, over all ways in which something gets to it, while everybody talks at once."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.support.clients.parley import JsClient, PythonClient
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until

MESSAGES_EACH = 60
WAYS: list[list[str] | None] = [["websocket"], ["websocket"], ["polling"], None]


class _Told(PythonClient):
    """Keeps acknowledgements among the events, where they came."""

    async def ask(self, name: str, *args: Any, namespace: str = "/", seconds: float = 15) -> list[Any]:
        """Send an event; its acknowledgement is kept, and returned."""
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

        def acknowledged(ack: Any) -> None:
            kept = {"room": args[0]["room"], **ack}
            self.told.append({"is": "event", "namespace": namespace, "name": f"ack of {name}", "args": [kept]})
            future.set_result([ack])

        await self.socket.emit(name, args, callback=acknowledged)
        return await asyncio.wait_for(future, seconds)

    def story(self, room: str) -> list[tuple[str, Any]]:
        """All of one room, in the order in which it came."""
        events = ((each["name"], each["args"][0]) for each in self.happened("event"))
        return [(name, payload) for name, payload in events if payload.get("room") == room]


@pytest.fixture(params=["2", "0"], ids=["joined frames", "no window"])
async def talking(request: pytest.FixtureRequest) -> AsyncIterator[TestStack]:
    """A stack of its own, with the window that is asked for."""
    async with fresh(environ={"FAN_OUT_WINDOW_MS": request.param, "ROOM_LINGER_SECONDS": "1"}) as started:
        yield started


def _check(client: _Told, room: str) -> None:
    seen, last, live_from = set[int](), 0, 0
    for name, payload in client.story(room):
        if name == "message":
            seq, prev = payload["seq"], payload["prev"]
            assert seq not in seen, "twice"
            assert seq > live_from, "a message from before its join, after it"
            assert not last or prev == last, f"a hole: {prev} comes after {last}"
            seen.add(seq)
            last = seq
        elif name == "ack of join":
            assert not last or payload["seq"] == last, "the join speaks of something else than was told"
            live_from = last = payload["seq"]
        elif name == "ack of message":
            assert last >= payload["seq"] or _before(client, room, payload["seq"]) <= last, "an ack that overtook"
        elif name == "ack of leave":
            last = live_from = 0
            seen.clear()


def _before(client: _Told, room: str, seq: int) -> int:
    return next(int(each["prev"]) for each in client.messages(room) if each["seq"] == seq)


async def test_order_is_kept_while_all_talk_at_once(talking: TestStack) -> None:  # noqa: C901 - one story
    """Acks after what was before them; joins and catch-up under load without a hole, nothing twice."""
    seed = random.randrange(1 << 32)
    print("seed", seed)  # shown when the test fails
    chance = random.Random(seed)
    rooms = [unique("order"), unique("order")]
    url = talking.gateway_urls[0]
    async with AsyncExitStack() as exits:
        clients = [
            await exits.enter_async_context(_Told(url, await talking.token(), **({"transports": way} if way else {})))
            for way in WAYS
        ]
        for client in clients:
            for room in rooms:
                await client.join(room)

        async def talk(number: int) -> None:
            for count in range(MESSAGES_EACH):
                room = chance.choice(rooms)
                said = [clients[number].say(room, f"m{number}-{count}-{each}") for each in range(3)]
                typing = clients[number].call("typing", {"room": room, "active": True})
                acks = await asyncio.gather(*said, typing)
                assert all(ack["ok"] for ack in acks), acks

        late: list[_Told] = []

        async def come_and_go(way: list[str] | None) -> None:
            for after in (None, 0, None, 0):
                client = _Told(url, await talking.token(), **({"transports": way} if way else {}))
                await exits.enter_async_context(client)
                late.append(client)
                for room in rooms:
                    more = {} if after is None else {"after": after}
                    await client.join(room, **more)
                    await client.say(room, f"late-{len(late)}")
                    await client.call("leave", {"room": room})
                    seen = client.messages(room)[-1]["seq"]
                    await client.join(room, after=seen)

        await asyncio.gather(
            *(talk(number) for number in range(len(clients))), *map(come_and_go, (["polling"], None))
        )
        last = {room: (await clients[0].say(room, "last"))["seq"] for room in rooms}
        for client in [*clients, *late]:
            for room in rooms:
                await until(lambda c=client, r=room: c.messages(r)[-1]["seq"] == last[r], "the last")  # type: ignore[misc]
                _check(client, room)
        for client in clients:
            own = client.of("session")[0]["user"]["id"]
            users = {each["user"] for each in client.of("typing")}
            assert len(users) == len(clients) - 1
            assert own not in users, "nobody hears their own typing"
            for room in rooms:
                assert [each["seq"] for each in client.messages(room)] == [
                    each["seq"] for each in clients[0].messages(room)
                ]


async def test_an_upgrade_under_load_keeps_order(talking: TestStack) -> None:
    """The JavaScript client joins while it polls, and goes over to a WebSocket while it is talked to."""
    room = unique("upgrade")
    url = talking.gateway_urls[0]
    async with PythonClient(url, await talking.token(), transports=["websocket"]) as sender:
        await sender.join(room)
        first = (await sender.say(room, "first"))["seq"]
        stopped = asyncio.Event()

        async def talk() -> None:
            count = 0
            while not stopped.is_set():
                await asyncio.gather(*(sender.say(room, f"m{count}-{each}") for each in range(5)))
                count += 1

        talker = asyncio.create_task(talk())
        async with AsyncExitStack() as exits:
            clients = [JsClient(url, await talking.token()) for _ in range(3)]
            for client in clients:
                await exits.enter_async_context(client)
                await client.join(room, after=first)
                await until(lambda c=client: bool(c.happened("upgraded")), "the upgrade")  # type: ignore[misc]
            stopped.set()
            await talker
            last = (await sender.say(room, "last"))["seq"]
            for client in clients:
                await until(lambda c=client: c.messages(room)[-1]["seq"] == last, "the last")  # type: ignore[misc]
                told = client.messages(room)  # the newest 500 of what was missed, and all since
                assert [each["prev"] for each in told[1:]] == [each["seq"] for each in told[:-1]]
