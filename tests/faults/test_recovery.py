"""Connection state recovery when processes die: sessions outlive the gateway that had them."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any, Self

import pytest

from deploy.local.ports import HOST
from tests.support.clients.parley import PythonClient
from tests.support.clients.recovering import RecoveringClient
from tests.support.proxy import Proxy
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until
from wire import streams

CLIENTS = 4


class _Crowd:
    """Clients of gateway 1, behind a proxy that can lead them to gateway 2, and somebody on gateway 2 who speaks."""

    def __init__(self, stack: TestStack) -> None:
        self.stack = stack
        self.rooms = [unique("fault") for _ in range(3)]
        self.said: list[str] = []
        self.clients: list[RecoveringClient] = []
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Everybody is in all rooms."""
        enter = self._exits.enter_async_context
        self.proxy = await enter(Proxy(self.stack.ports.gateway_1))
        speaking = PythonClient(self.stack.gateway_urls[1], await self.stack.token(), transports=["websocket"])
        self.speaker = await enter(speaking)
        for room in self.rooms:
            await self.speaker.join(room)
        for _ in range(CLIENTS):
            url = f"http://{HOST}:{self.proxy.port}"
            client = await enter(RecoveringClient(url, await self.stack.token()))
            self.clients.append(client)
            for room in self.rooms:
                await client.join(room)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nobody is left."""
        await self._exits.aclose()

    async def say(self, count: int) -> None:
        """In all rooms in turn; again with the same id while the answer is `unavailable`."""
        for _ in range(count):
            number = len(self.said)
            id = f"m{number}"

            async def is_stored(room: str = self.rooms[number % len(self.rooms)], id: str = id) -> Any:
                return (await self.speaker.say(room, id, id))["ok"]

            await until(is_stored, "it to be stored")
            self.said.append(id)

    async def hear_all(self) -> None:
        """Every client gets all that was said, once and in order."""
        for each in self.clients:
            await until(lambda each=each: len(each.bodies) >= len(self.said), "all that was said")  # type: ignore[misc]
            assert each.bodies == self.said

    async def all_came_back(self) -> bool:
        """Whether all were recovered, once all are there again."""
        return all([await each.came_back() for each in self.clients])


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_a_gateway_gone_under_traffic(own_stack: TestStack, how: str) -> None:
    """Killed or told to end, in the middle of a burst: the other gateway gives its clients everything back."""
    async with _Crowd(own_stack) as crowd:
        await crowd.say(10)
        burst = asyncio.create_task(crowd.say(60))
        await until(lambda: len(crowd.said) > 30, "half of it")
        gateway = own_stack.children["gateway-1"]
        await (gateway.kill() if how == "killed" else gateway.stop())
        crowd.proxy.lead_to(own_stack.ports.gateway_2)
        await burst
        assert await crowd.all_came_back()
        await crowd.hear_all()
        await crowd.say(5)
        await crowd.hear_all()


async def test_nats_killed_while_clients_are_away(own_stack: TestStack) -> None:
    """Sessions are on its disk; what was said before and after is told."""
    async with _Crowd(own_stack) as crowd:
        await crowd.say(5)
        await crowd.hear_all()
        crowd.proxy.lead_to()
        await crowd.say(5)
        await own_stack.children["nats"].kill()
        await own_stack.children["nats"].start()
        await own_stack.ready("nats", "gateway-1", "gateway-2", "auth", "history")
        await crowd.say(5)
        crowd.proxy.lead_to(own_stack.ports.gateway_2)
        assert await crowd.all_came_back()
        await crowd.hear_all()


async def test_history_gone_when_clients_come_back(own_stack: TestStack) -> None:
    """What they missed is read from the stream."""
    async with _Crowd(own_stack) as crowd:
        await crowd.say(3)
        await crowd.hear_all()
        crowd.proxy.lead_to()
        await crowd.say(3)
        await own_stack.children["history"].kill()
        crowd.proxy.lead_to(own_stack.ports.gateway_2)
        assert await crowd.all_came_back()
        await crowd.hear_all()


async def test_a_join_that_cannot_be_kept_is_not_acknowledged(own_stack: TestStack) -> None:
    """Without the bucket: `unavailable` to those who opted in, and nobody else; made again, joins work.

    A gateway says so in its log, once in ten seconds.
    """
    async with _Crowd(own_stack) as crowd:
        client, room, began = crowd.clients[0], unique("fault"), time.monotonic()
        async with own_stack.nats() as operator:
            await operator.jetstream().delete_stream(streams.KEPT_SESSIONS)
        for ask in ("join", "leave"):
            in_room = {"room": room if ask == "join" else crowd.rooms[0]}
            assert (await client.call(ask, in_room))["error"]["code"] == "unavailable"
        said = [line for line in own_stack.output if "the bucket of clients' sessions does not answer" in line]
        assert 1 <= len(said) <= 1 + (time.monotonic() - began) // 10
        assert (await crowd.speaker.call("leave", {"room": crowd.rooms[0]}))["ok"]
        assert (await crowd.speaker.join(crowd.rooms[0]))["ok"]
        await own_stack.setup()

        async def is_kept() -> bool:
            return bool((await client.call("join", {"room": room}))["ok"])

        await until(is_kept, "the bucket that was made again")
        await crowd.say(3)
        await until(lambda: client.bodies == crowd.said, "what was said, also in the room that was not left")
        crowd.proxy.lead_to(own_stack.ports.gateway_2)
        assert await client.came_back()
        assert (await client.say(room, "own"))["ok"]
