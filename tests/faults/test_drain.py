"""A gateway that is told to end: who is there is sent elsewhere a few at a time, and nobody loses anything."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Final

import aiohttp
import pytest
import pytest_asyncio

from tests.support.clients.parley import JsClient, ParleyClient, PythonClient
from tests.support.draining import drains, exit_code, members, said, told_to_end
from tests.support.paused import paused
from tests.support.proxy import Proxy
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until

# The Python clients leave their old sockets to the collector when they connect again.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

MEMBERS: Final = 60


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack() -> AsyncIterator[TestStack]:
    """One for all tests here: what a drain does to it, a new gateway mends."""
    async with fresh() as started:
        yield started


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    gc.collect()


async def test_connections_are_closed_evenly_and_nobody_is_let_in(stack: TestStack) -> None:
    """Not ready first, and 503 to all handshakes; all are told, and closed in random order over the drain's time."""
    async with drains(stack, "6"), members(stack, MEMBERS) as sockets:
        await told_to_end(stack)
        assert not await stack.is_ready("gateway-1")
        async with aiohttp.ClientSession() as http:
            base = f"{stack.gateway_urls[0]}/socket.io/?EIO=4&transport="
            async with http.get(f"{base}polling") as refused:
                assert refused.status == 503
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await http.ws_connect(f"{base}websocket")
            assert caught.value.status == 503
        await until(
            lambda: sum(each.ended is not None for each in sockets) >= MEMBERS // 2, "half of them to be gone"
        )
        gone = await stack.metric("gateway-1", "parley_gateway_drained_connections_total", result="ok")
        there = await stack.metric("gateway-1", "parley_gateway_connections")
        assert MEMBERS // 2 <= gone < MEMBERS
        assert there <= MEMBERS - MEMBERS // 2
        assert await stack.metric("gateway-1", "parley_gateway_handshakes_refused_total") == 2
        assert "exit code 0" in await exit_code(stack)
        await until(lambda: all(each.ended for each in sockets), "the last of them to be gone")
    for each in sockets:
        assert each.packets.count('42["draining",{}]') == 1
        assert not {"1", "41"} & set(each.packets), "the Python client would stay away"
        assert each.websocket.close_code == 1001
    ends = [each.ended or 0 for each in sockets]
    assert ends != sorted(ends), "in the order in which they came"
    first, *_, last = sorted(ends)
    middle = sorted(ends)[MEMBERS // 2]
    assert 0.25 < (middle - first) / (last - first) < 0.75
    assert last - first > 3, "over the whole time"
    (began,), (ended,) = said(stack, "drain began"), said(stack, "drain ended")
    assert (began["connections"], began["seconds"]) == (MEMBERS, 6)
    assert (ended["closed"], ended["unanswered"], ended["left"]) == (MEMBERS, 0, 0)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_official_clients_come_back_elsewhere_and_miss_nothing(stack: TestStack, transport: str) -> None:
    """By themselves, on another gateway, while others go on talking; `draining` came before."""
    room = unique("moved")
    async with drains(stack, "2"), Proxy(stack.ports.gateway_1) as balancer, AsyncExitStack() as exits:
        url = f"http://127.0.0.1:{balancer.port}"
        kinds: list[type[ParleyClient]] = [JsClient, PythonClient, PythonClient]
        movers = [
            await exits.enter_async_context(kind(url, await stack.token(), transports=[transport])) for kind in kinds
        ]
        sender = await exits.enter_async_context(PythonClient(stack.gateway_urls[1], await stack.token()))
        for each in [*movers, sender]:
            await each.join(room)
        seqs: list[int] = []
        is_over = asyncio.Event()
        talking = asyncio.create_task(_talk(sender, room, seqs, is_over))
        await until(lambda: all(each.messages(room) for each in movers), "talk")
        await told_to_end(stack)
        if transport == "websocket":
            balancer.point_at(stack.ports.gateway_2)
        assert "exit code 0" in await exit_code(stack)
        balancer.point_at(stack.ports.gateway_2)
        for each in movers:
            await until(lambda c=each: len(c.of("session")) == 2, "them to come back")  # type: ignore[misc]
            assert [session["gateway"] for session in each.of("session")] == ["gateway-1", "gateway-2"]
            assert each.of("draining") == [{}]
            await each.join(room, after=each.messages(room)[-1]["seq"])
        is_over.set()
        await talking
        seqs.append((await sender.say(room, "last"))["seq"])
        for each in [sender, *movers]:
            await until(lambda c=each: c.messages(room)[-1]["seq"] == seqs[-1], "the last message")  # type: ignore[misc]
            heard = [message["seq"] for message in each.messages(room)]
            assert heard == [message["seq"] for message in sender.messages(room)]
            assert set(seqs) <= set(heard)


async def _talk(client: PythonClient, room: str, seqs: list[int], is_over: asyncio.Event) -> None:
    # Told, and not cancelled: the Python client waits with `wait_for`, which in Python 3.11 may swallow that.
    number = 0
    while not is_over.is_set():
        seqs.append((await client.say(room, f"m{number}"))["seq"])
        number += 1
        await asyncio.sleep(0.02)  # a steady stream


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("kind", ["new", "duplicate"])
async def test_what_was_sent_is_acknowledged_before_its_sender_is_closed(
    stack: TestStack, transport: str, kind: str
) -> None:
    """NATS takes its time while the gateway is told to end, at once: the answer comes all the same; exit code 0."""
    room = unique("flight")
    async with (
        drains(stack, "0"),
        PythonClient(stack.gateway_urls[0], await stack.token(), transports=[transport]) as sender,
    ):
        await sender.join(room)
        first = await sender.say(room, "m1") if kind == "duplicate" else None
        async with paused(stack.children["nats"]):
            saying = asyncio.create_task(sender.say(room, "m1"))

            async def in_flight() -> bool:
                return await stack.metric("gateway-1", "parley_gateway_publishes_in_flight") == 1

            await until(in_flight, "it to be on its way")
            await told_to_end(stack)
        ack = await saying
        assert (ack["ok"], ack["duplicate"]) == (True, kind == "duplicate")
        assert first is None or ack["seq"] == first["seq"]
        assert "exit code 0" in await exit_code(stack)
    assert said(stack, "drain ended")[0]["unanswered"] == 0
