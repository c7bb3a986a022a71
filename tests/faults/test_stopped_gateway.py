"""A gateway whose process is stopped for some seconds, as a host that is overcommitted or migrated does it."""

import asyncio
import signal
from contextlib import AsyncExitStack

from tests.support.clients.parley import PythonClient
from tests.support.people import guest
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

STOPPED_SECONDS = 8.0
"""Longer than a stall."""
SHORTLY_STOPPED_SECONDS = 2.5
"""Longer than a pause."""


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
        while not (said := await clients[0].say(room, "afterwards"))["ok"]:
            # It has to read first who may be here.
            assert said["error"]["code"] == "unavailable"
            await asyncio.sleep(0.02)
        seqs.append(said["seq"])
        for client in clients:
            await until(lambda c=client: len(c.messages(room)) == len(seqs), "all messages")  # type: ignore[misc]
            assert [each["seq"] for each in client.messages(room)] == seqs
            assert len(client.of("session")) == 1, "it never had to come back"
        assert await own_stack.metric("gateway-1", "parley_gateway_slow_readers_closed_total") == 0


async def test_whoever_was_removed_while_it_stood_still_says_nothing_more(own_stack: TestStack) -> None:
    """Although what they have sent meanwhile is read before what NATS has."""
    ann, bob = await guest(own_stack), await guest(own_stack)
    room = await bob.group(ann)
    async with PythonClient(own_stack.gateway_urls[0], ann.token, transports=["websocket"]) as client:
        await client.join(room)
        gateway = own_stack.children["gateway-1"]
        gateway.send_signal(signal.SIGSTOP)
        try:
            answer = await bob.ask("DELETE", f"/api/rooms/{room}/members/{ann.id}", gateway=1)
            assert answer.status == 204
            await asyncio.sleep(SHORTLY_STOPPED_SECONDS)
            saying = asyncio.create_task(client.say(room, "secret"))
            await asyncio.sleep(0.1)
        finally:
            gateway.send_signal(signal.SIGCONT)
        assert not (await saying)["ok"]
        await until(lambda: bool(client.of("removed")), "it to be told")
    page = await bob.ask("GET", f"/api/rooms/{room}/messages", gateway=1)
    assert page.body["messages"] == []
