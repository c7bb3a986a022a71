"""A gateway whose process is stopped for some seconds, as a host that is overcommitted or migrated does it."""

import asyncio
import signal
from contextlib import AsyncExitStack

from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

STOPPED_SECONDS = 8.0
"""Longer than a stall."""


async def test_a_gateway_that_stood_still_drops_nobody(own_stack: TestStack) -> None:
    """Its clients are there afterwards, on the connection they had, and get what was said meanwhile, in order."""
    room = unique("still")
    first, second = own_stack.gateway_urls
    async with AsyncExitStack() as exits:
        clients = [
            await exits.enter_async_context(PythonClient(first, await own_stack.token(), transports=[way]))
            for way in ("websocket", "websocket", "polling")
        ]
        sender = await exits.enter_async_context(
            PythonClient(second, await own_stack.token(), transports=["websocket"])
        )
        for client in [*clients, sender]:
            await client.join(room)
        seqs: list[int] = []
        gateway = own_stack.children["gateway-1"]
        gateway.send_signal(signal.SIGSTOP)
        try:
            deadline = asyncio.get_running_loop().time() + STOPPED_SECONDS
            while asyncio.get_running_loop().time() < deadline:
                seqs.append((await sender.say(room, f"m{len(seqs)}", "b" * 1000))["seq"])
                await asyncio.sleep(0.02)
        finally:
            gateway.send_signal(signal.SIGCONT)
        seqs.append((await clients[0].say(room, "afterwards"))["seq"])
        for client in clients:
            await until(lambda c=client: len(c.messages(room)) == len(seqs), "all messages")  # type: ignore[misc]
            assert [each["seq"] for each in client.messages(room)] == seqs
            assert len(client.of("session")) == 1, "it never had to come back"
        assert await own_stack.metric("gateway-1", "parley_gateway_slow_readers_closed_total") == 0
