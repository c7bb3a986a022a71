"""Auth and history when they end: what they hold is finished when they are told to, and safe when they are killed."""

import asyncio
import json
import signal
import sys
from typing import Final

import aiohttp
from nats.js.api import ConsumerInfo

from deploy.local.ports import HOST
from deploy.local.process import Child
from deploy.local.stack import ROOT
from tests.support.clients.parley import PythonClient
from tests.support.paused import paused
from tests.support.proxy import Proxy
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until
from wire import streams, subjects

IN_HAND: Final = 20
SIGN_INS: Final = 4
"""Twice as many as are hashed at once."""
LAG: Final = "parley_history_lag_messages"
PATIENCE_SECONDS: Final = 5
"""How long JetStream waits for an acknowledgement, once it is asked to hurry."""


async def _consumer(stack: TestStack) -> ConsumerInfo:
    async with stack.nats() as client:
        info: ConsumerInfo = await client.jetstream().consumer_info("MESSAGES", "history")
    return info


async def _are_in_hand(stack: TestStack) -> bool:
    """Whether history has fetched some of what was said, and cannot write it."""
    return bool((await _consumer(stack)).num_ack_pending)


async def _say_all(client: PythonClient, room: str, name: str) -> list[int]:
    return [(await client.say(room, f"{name}-{number}"))["seq"] for number in range(IN_HAND)]


async def _has_caught_up(stack: TestStack) -> bool:
    consumer = await _consumer(stack)
    return not consumer.num_pending and not consumer.num_ack_pending


async def _redeliver_soon(stack: TestStack) -> None:
    """Let JetStream wait less than its half minute, also for what it has delivered already."""
    async with stack.nats() as client:
        hasty = streams.history_consumer().evolve(ack_wait=PATIENCE_SECONDS)
        await client.jetstream().add_consumer(streams.MESSAGES, hasty)


async def test_history_writes_the_batch_in_hand_before_it_ends(own_stack: TestStack) -> None:
    """Told to end while MongoDB hangs, it waits a while: written, acknowledged, exit code 0. The lag shows it all."""
    stack, room = own_stack, unique("batch")
    history = stack.children["history"]
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
        await client.join(room)
        async with paused(stack.children["mongo"]):
            seqs = await _say_all(client, room, "m")
            await until(lambda: _are_in_hand(stack), "a batch to be in hand")

            async def all_lag() -> bool:
                return await stack.metric("history", LAG) == IN_HAND

            await until(all_lag, "what is in hand and what is not fetched yet to be counted")
            in_hand = (await _consumer(stack)).num_ack_pending or 0
            history.send_signal(signal.SIGTERM)

            async def is_stopping() -> bool:
                return not await stack.is_ready("history")

            await until(is_stopping, "it to have been told")
        async with asyncio.timeout(30):
            assert "exit code 0" in await history.ended()
        left = await _consumer(stack)
        assert left.num_ack_pending == 0, "nobody has to wait for what it had in hand"
        assert (left.num_pending or 0) <= IN_HAND - in_hand
        await history.start()
        await stack.ready("history")
        await until(lambda: _has_caught_up(stack), "the rest to be persisted")
        assert await stack.metric("history", "parley_history_already_persisted_messages_total") == 0
        page = await client.call("history", {"room": room, "limit": 100})
        assert [each["seq"] for each in page["messages"]] == seqs


async def test_history_that_is_killed_before_it_has_written_loses_nothing(own_stack: TestStack) -> None:
    """A batch was fetched and not written: kill -9. The page is complete all the while, and MongoDB in the end."""
    stack, room = own_stack, unique("unwritten")
    history = stack.children["history"]
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
        await client.join(room)
        async with paused(stack.children["mongo"]):
            seqs = await _say_all(client, room, "m")
            await until(lambda: _are_in_hand(stack), "a batch to be in hand")
            await history.kill()
        await history.start()
        await stack.ready("history")
        page = await client.call("history", {"room": room, "limit": 100})
        assert [each["seq"] for each in page["messages"]] == seqs
        await _redeliver_soon(stack)
        await until(lambda: _has_caught_up(stack), "all to be persisted")
        page = await client.call("history", {"room": room, "limit": 100})
        assert [each["seq"] for each in page["messages"]] == seqs


async def test_history_that_is_killed_before_it_has_acknowledged_writes_nothing_twice(own_stack: TestStack) -> None:
    """A batch was written, and NATS never heard of it: kill -9. It is delivered again, and found in place."""
    stack, room = own_stack, unique("unacknowledged")
    await stack.children["history"].stop()
    environ = {**stack.environment("history"), "ADMIN_PORT": str(stack.ports.history_admin)}
    async with (
        Proxy(stack.ports.nats) as proxy,
        PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client,
    ):
        cut_off = Child(
            "history",
            [sys.executable, "-m", "services.history"],
            cwd=ROOT,
            environ={**environ, "NATS_URL": f"nats://{HOST}:{proxy.port}"},
            sink=lambda _name, line: stack.output.append(line),
        )
        await cut_off.start()
        try:
            await until(lambda: stack.is_ready("history"), "it to be ready")
            await client.join(room)
            async with paused(stack.children["mongo"]):
                seqs = await _say_all(client, room, "m")
                await until(lambda: _are_in_hand(stack), "a batch to be in hand")
                in_hand = (await _consumer(stack)).num_ack_pending
                proxy.mute()

            async def written() -> bool:
                return await stack.metric("history", "parley_history_persisted_messages_total") == in_hand

            await until(written, "it to be written")
        finally:
            await cut_off.kill()
        assert (await _consumer(stack)).num_ack_pending == in_hand
        await stack.children["history"].start()
        await stack.ready("history")
        await _redeliver_soon(stack)
        await until(lambda: _has_caught_up(stack), "all to be persisted")
        again = await stack.metric("history", "parley_history_already_persisted_messages_total")
        new = await stack.metric("history", "parley_history_persisted_messages_total")
        assert (again, new) == (in_hand, IN_HAND - (in_hand or 0))
        page = await client.call("history", {"room": room, "limit": 100})
        assert [each["seq"] for each in page["messages"]] == seqs


async def test_auth_answers_what_it_was_asked_before_it_ends(own_stack: TestStack) -> None:
    """Sign-ups that have come and wait for their turn are all answered; exit code 0."""
    stack = own_stack
    auth = stack.children["auth"]
    url = f"{stack.gateway_urls[0]}/api/register"

    async def register(http: aiohttp.ClientSession, number: int) -> int:
        body = json.dumps({"username": f"user-{number}", "password": "correct horse battery staple"})
        async with http.post(url, data=body) as response:
            return response.status

    async with aiohttp.ClientSession() as http:
        async with paused(auth):
            signing_up = [asyncio.create_task(register(http, number)) for number in range(SIGN_INS)]

            async def asked() -> bool:
                return await stack.nats_messages_to("auth", subjects.AUTH_REGISTER) == SIGN_INS

            await until(asked, "all to be asked")
            auth.send_signal(signal.SIGTERM)
        assert await asyncio.gather(*signing_up) == [201] * SIGN_INS
    async with asyncio.timeout(30):
        assert "exit code 0" in await auth.ended()
