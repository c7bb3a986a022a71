"""How a drain ends: at once when there is nobody, when NATS hangs, or when the process is told a second time."""

import asyncio
import gc
import json
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest
import pytest_asyncio

from tests.support.clients.parley import PythonClient
from tests.support.draining import drains, exit_code, members, said, strangers, told_to_end
from tests.support.paused import paused
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until
from wire import subjects

# The Python clients leave their old sockets to the collector when they connect again.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

FOR_EVER: Final = "3600"
"""Seconds to drain; none of these tests takes so long."""
CLIENTS: Final = 8


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack() -> AsyncIterator[TestStack]:
    """One for all tests here: what a drain does to it, a new gateway mends."""
    async with fresh() as started:
        yield started


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    gc.collect()


async def test_a_gateway_without_clients_ends_at_once(stack: TestStack) -> None:
    """However long it may drain."""
    async with drains(stack, FOR_EVER):
        stack.children["gateway-1"].send_signal(signal.SIGTERM)
        assert "exit code 0" in await exit_code(stack)


async def test_a_drain_ends_once_all_have_gone_by_themselves(stack: TestStack) -> None:
    """Nobody is waited for who is not there any more."""
    async with drains(stack, FOR_EVER):
        async with members(stack, CLIENTS):
            await told_to_end(stack)
        assert "exit code 0" in await exit_code(stack)
    assert said(stack, "drain ended")[0]["closed"] < CLIENTS


async def test_who_is_still_to_be_let_in_is_told_then(stack: TestStack) -> None:
    """A handshake from before is good; so what is sent on it is answered, and `draining` comes with it."""
    async with drains(stack, FOR_EVER), strangers(stack, CLIENTS) as sockets:
        await told_to_end(stack)
        await until(lambda: any(each.ended for each in sockets), "the first of them to be closed")
        left = [each for each in sockets if each.ended is None]
        assert len(left) == CLIENTS - 1
        for each in left:
            await each.connect()
        await until(lambda: all(each.heard("draining") for each in left), "all to be let in, and told")
        for each in left:
            names = [json.loads(packet[2:])[0] for packet in each.packets if packet.startswith("42")]
            assert names == ["session", "draining"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(stack: TestStack, number: signal.Signals) -> None:
    """In the middle of a drain, with exit code 1: its clients were not sent away."""
    async with drains(stack, FOR_EVER), members(stack, CLIENTS):
        await told_to_end(stack)
        stack.children["gateway-1"].send_signal(number)
        assert "exit code 1" in await exit_code(stack)
        assert not said(stack, "drain ended")
        assert said(stack, "told to stop a second time: ending at once")


async def test_a_gateway_whose_nats_hangs_answers_and_ends(stack: TestStack) -> None:
    """`unavailable`, for it may have been stored; then the connection is closed, and the exit code is 0."""
    room = unique("hangs")
    async with (
        drains(stack, "0", PUBLISH_TIMEOUT_SECONDS="2"),
        PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as sender,
    ):
        await sender.join(room)
        async with paused(stack.children["nats"]):
            saying = asyncio.create_task(sender.say(room, "m1"))

            async def in_flight() -> bool:
                return await stack.metric("gateway-1", "parley_gateway_publishes_in_flight") == 1

            await until(in_flight, "it to be on its way")
            stack.children["gateway-1"].send_signal(signal.SIGTERM)
            ack = await saying
            assert ack["error"]["code"] == "unavailable"
            assert "exit code 0" in await exit_code(stack)


async def test_a_client_whose_answer_takes_too_long_is_closed_without_it(stack: TestStack) -> None:
    """History hangs: the page is not waited for beyond the patience, and the log and the metric say so."""
    room = unique("patience")
    async with (
        drains(stack, "0", PUBLISH_TIMEOUT_SECONDS="0.5"),
        PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as reader,
    ):
        await reader.join(room)
        async with paused(stack.children["history"]):
            before = await stack.nats_messages_to("history", subjects.HISTORY_PAGE)
            asking = asyncio.create_task(reader.call("history", {"room": room}))

            async def asked() -> bool:
                return await stack.nats_messages_to("history", subjects.HISTORY_PAGE) > before

            await until(asked, "history to be asked")
            stack.children["gateway-1"].send_signal(signal.SIGTERM)
            assert "exit code 0" in await exit_code(stack)
        asking.cancel()
        await asyncio.wait({asking})
    assert said(stack, "drain ended")[0]["unanswered"] == 1
