"""Trouble: what should not happen, and is made to."""

import asyncio
import sys
from typing import Final

from deploy.local.ports import HOST
from deploy.local.stack import ROOT
from tests.support.clients.recovering import RecoveringClient
from tests.support.losing import nothing_live
from tests.support.observed.use import Users
from tests.support.proxy import Proxy
from tests.support.slow_member import SlowMember
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

_BODY: Final = "b" * 15_000
_BYTES_MOST: Final = 64 << 20
_CLOSED: Final = "parley_gateway_slow_readers_closed_total"


async def lose_messages(users: Users) -> None:
    """NATS loses what is stored on its way to the gateways: a hole that is found and filled."""
    async with nothing_live(users.stack):
        lost = [(await users.one.say(users.room, users.id()))["seq"] for _ in range(3)]
    last = (await users.one.say(users.room, users.id()))["seq"]

    def all_came() -> bool:
        return {*lost, last} <= {each["seq"] for each in users.two.messages(users.room)}

    await until(all_came, "what was lost")


async def read_slowly(users: Users) -> None:
    """Somebody joins, reads nothing, and is closed for it; of a cursor they would have got the newest."""
    stack, room = users.stack, unique("slow")
    before = await stack.metric("gateway-1", _CLOSED)
    async with SlowMember(stack.ports.gateway_1, await stack.token()) as slow:
        await slow.send("join", {"room": room})
        await slow.read_until_ack()
        await users.one.join(room)
        await users.two.join(room)
        sent = 0
        while await stack.metric("gateway-1", _CLOSED) == before:
            sent += 8 * len(_BODY)
            assert sent < _BYTES_MOST, "it is not closed"
            cursor = {"room": room, "name": "cursor", "data": sent}
            await asyncio.gather(
                *(users.one.say(room, users.id(), _BODY) for _ in range(8)), users.two.call("event", cursor)
            )
    for each in (users.one, users.two):
        await each.call("leave", {"room": room})


async def break_connections(users: Users) -> None:
    """A client's connection breaks, and it gets its session back."""
    stack = users.stack
    async with (
        Proxy(stack.ports.gateway_1) as proxy,
        RecoveringClient(f"http://{HOST}:{proxy.port}", await stack.token()) as client,
    ):
        await client.join(users.room)
        await users.one.say(users.room, users.id())
        await until(lambda: bool(client.bodies), "a message")
        proxy.reset()
        assert await client.came_back()


async def restart_nats(users: Users) -> None:
    """nats-server is killed and started again: everybody connects again, and is ready."""
    stack = users.stack
    await stack.children["nats"].kill()
    await until(lambda: _is_cut_off(stack), "gateway-1 to notice")
    refused = await users.one.say(users.room, users.id())
    assert refused["error"]["code"] == "unavailable"
    await stack.children["nats"].start()
    await stack.ready(*stack.children)


async def rotate_keys(users: Users) -> None:
    """There is a new signing key."""
    stack = users.stack
    command = [sys.executable, "-m", "services.auth", "rotate", "--dir", str(stack.signing_keys)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0

    async def has_two() -> bool:
        return await stack.metric("auth", "parley_auth_keys") == 2

    await until(has_two, "auth to have read it")


async def _is_cut_off(stack: TestStack) -> bool:
    return await stack.metric("gateway-1", "parley_nats_connected") == 0


async def restart_history(users: Users) -> None:
    """History is killed and started again: a target that is down, and an alert about it."""
    await users.stack.start_anew("history")
