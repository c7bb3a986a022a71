"""Catching up: a member that was away is told all it missed, as fast as it reads, and is no slow reader for that."""

import asyncio

import pytest

from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

BODY = "b" * 16_000
CLOSED = "parley_gateway_slow_readers_closed_total"
LARGE_MESSAGES = 80
"""2.5 MiB, of which 1 MiB may wait for one client."""


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_whoever_missed_more_than_may_wait_is_told_all_of_it(stack: TestStack, transport: str) -> None:
    """Catching up goes as fast as the client reads: nobody is a slow reader for having been away."""
    room = unique("missed")
    before = await stack.metric("gateway-1", CLOSED)
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as sender:
        await sender.join(room)
        said = [(await sender.say(room, f"m{n}", BODY, data=BODY))["seq"] for n in range(LARGE_MESSAGES)]
        async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=[transport]) as late:
            joining = asyncio.ensure_future(late.join(room, after=said[0]))
            said += [(await sender.say(room, f"meanwhile-{n}"))["seq"] for n in range(20)]
            ack = await joining
            await until(lambda: len(late.messages(room)) == len(said) - 1, "all of them")
            assert [each["seq"] for each in late.messages(room)] == said[1:]
            assert ack["missed"] >= LARGE_MESSAGES - 1
            assert late.socket.connected
    assert await stack.metric("gateway-1", CLOSED) == before
