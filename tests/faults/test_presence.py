"""Presence when gateways die, stand still, or are cut off: no ghost, and nobody missing."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest_asyncio

from deploy.local.ports import HOST, Ports
from tests.support.clients.parley import PythonClient
from tests.support.paused import paused
from tests.support.presences import me, told, until_present
from tests.support.proxy import Proxy
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

SECONDS = 30.0


class _Ground(NamedTuple):
    stack: TestStack
    way: Proxy
    """From gateway 2 to NATS."""


@pytest_asyncio.fixture(scope="module", loop_scope="session", name="ground")
async def _ground() -> AsyncIterator[_Ground]:
    ports = Ports.free()
    async with Proxy(ports.nats) as way:
        own = {"gateway-2": {"NATS_URL": f"nats://{HOST}:{way.port}"}}
        with tempfile.TemporaryDirectory(prefix="parley-test-") as data:
            async with TestStack(Path(data), ports=ports, own_environ=own) as stack:
                yield _Ground(stack, way)


class _Members(NamedTuple):
    room: str
    one: PythonClient
    two: PythonClient
    """On gateway 2, as the next."""
    three: PythonClient

    @property
    def all(self) -> set[str]:
        return {me(self.one), me(self.two), me(self.three)}

    def told_one(self) -> list[tuple[str, str]]:
        """What was told on gateway 1 from now on, without the order."""
        return sorted(told(self.one, self.room))


@asynccontextmanager
async def _members(stack: TestStack) -> AsyncIterator[_Members]:
    room = unique("presence")
    async with AsyncExitStack() as exits:
        clients = [
            await exits.enter_async_context(PythonClient(url, await stack.token(), transports=["websocket"]))
            for url in (stack.gateway_urls[0], stack.gateway_urls[1], stack.gateway_urls[1])
        ]
        members = _Members(room, *clients)
        for each in clients:
            each.socket.reconnection = False
            await each.join(room)
        for each in clients:
            await until_present(each, room, members.all)
        yield members


async def _are_gone(members: _Members) -> None:
    both = {me(members.two), me(members.three)}
    await until(
        lambda: {user for user, state in told(members.one, members.room) if state == "offline"} == both,
        "those of gateway 2 to be offline",
        seconds=SECONDS,
    )
    await until_present(members.one, members.room, {me(members.one)})


async def _are_back(members: _Members) -> None:
    """Once each, and those of gateway 2 were never told anything that was not so."""
    both = (me(members.two), me(members.three))
    expected = sorted((user, state) for user in both for state in ("online", "online", "offline"))
    await until(lambda: members.told_one() == expected, "them to be online again", seconds=SECONDS)
    for client in (members.one, members.two, members.three):
        await until_present(client, members.room, members.all)


async def test_the_users_of_a_gateway_that_dies_are_offline(ground: _Ground) -> None:
    """It is killed, and says nothing any more; when it is there again, so are they, if they come back."""
    async with _members(ground.stack) as members:
        gateway = ground.stack.children["gateway-2"]
        await gateway.kill()
        await _are_gone(members)
        await gateway.start()
        await ground.stack.ready("gateway-2")


async def test_a_gateway_that_ends_says_so(ground: _Ground) -> None:
    """Its users are offline with its end, and not a lease later."""
    stack = ground.stack
    async with _members(stack) as members:
        dropped = await stack.metric("gateway-1", "parley_gateway_presence_peers_dropped_total")
        gateway = stack.children["gateway-2"]
        assert await gateway.stop() == 0
        await _are_gone(members)
        assert await stack.metric("gateway-1", "parley_gateway_presence_peers_dropped_total") == dropped
        await gateway.start()
        await stack.ready("gateway-2")


async def test_a_gateway_that_stood_still_is_believed_again(ground: _Ground) -> None:
    """Stopped for longer than its lease: offline meanwhile, then online; and it took nobody for dead itself."""
    async with _members(ground.stack) as members:
        async with paused(ground.stack.children["gateway-2"]):
            await _are_gone(members)
        await _are_back(members)
        for client in (members.two, members.three):
            assert not [each for each in told(client, members.room) if each[1] == "offline"]


async def test_a_gateway_that_was_cut_off_is_believed_again(ground: _Ground) -> None:
    """Without NATS for longer than its lease; who came and went at either side meanwhile is known afterwards."""
    async with _members(ground.stack) as members, AsyncExitStack() as exits:
        ground.way.lead_to()
        try:
            await _are_gone(members)
            url, token = ground.stack.gateway_urls[0], await ground.stack.token()
            four = await exits.enter_async_context(PythonClient(url, token, transports=["websocket"]))
            await four.join(members.room)
            await members.three.socket.disconnect()
        finally:
            ground.way.lead_to(ground.stack.ports.nats)
        everybody = {me(members.one), me(members.two), me(four)}

        async def all_know() -> bool:
            answers = [await each.call("presence", {"room": members.room}) for each in (members.one, members.two)]
            return all(each["ok"] and {one["id"] for one in each["members"]} == everybody for each in answers)

        await until(all_know, "all to know who is there", seconds=SECONDS)
        await until(lambda: (me(four), "online") in told(members.two, members.room), "it to be told")
        assert not [each for each in told(members.two, members.room) if each == (me(members.one), "offline")]


async def test_a_connection_to_nats_that_carries_nothing_makes_nobody_a_ghost(ground: _Ground) -> None:
    """It seems to be there: gateway 2 is dropped, but drops nobody, and is believed once it is made again."""
    async with _members(ground.stack) as members:
        ground.way.swallow()
        ground.way.mute()
        await _are_gone(members)
        await _are_back(members)
        for client in (members.two, members.three):
            assert not [each for each in told(client, members.room) if each[1] == "offline"]
