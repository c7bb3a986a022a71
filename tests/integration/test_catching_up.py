"""Catching up: a member that was away is told all it missed, as fast as it reads, and costs no more for it."""

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.clients.parley import PythonClient
from tests.support.slow_member import SlowMember
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until

BODY = "b" * 16_000
CLOSED = "parley_gateway_slow_readers_closed_total"
RESUMING = "parley_gateway_resuming"
LARGE_MESSAGES = 80
"""2.5 MiB, of which 1 MiB may wait for one client."""
MIB = 1 << 20


async def _say(sender: PythonClient, room: str, count: int, *, large: bool = True) -> list[int]:
    """Say so many things; their seqs."""
    more = {"body": BODY, "data": BODY} if large else {}
    said: list[int] = []
    while len(said) < count:
        batch = range(len(said), min(count, len(said) + 16))
        acks = await asyncio.gather(*(sender.say(room, unique("m"), **more) for _ in batch))
        said += [ack["seq"] for ack in acks]
    return sorted(said)


async def _resumes(stack: TestStack, verdict: str) -> float:
    name = "parley_gateway_resumes_total"
    return sum([await stack.metric(each, name, verdict=verdict) for each in ("gateway-1", "gateway-2")])


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_whoever_missed_more_than_may_wait_is_told_all_of_it(stack: TestStack, transport: str) -> None:
    """Catching up goes as fast as the client reads: nobody is a slow reader for having been away."""
    room = unique("missed")
    before = await stack.metric("gateway-1", CLOSED)
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as sender:
        await sender.join(room)
        said = await _say(sender, room, LARGE_MESSAGES)
        async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=[transport]) as late:
            joining = asyncio.ensure_future(late.join(room, after=said[0]))
            said += await _say(sender, room, 20, large=False)
            ack = await joining
            await until(lambda: len(late.messages(room)) == len(said) - 1, "all of them")
            assert [each["seq"] for each in late.messages(room)] == said[1:]
            assert [each["prev"] for each in late.messages(room)] == said[:-1]
            assert LARGE_MESSAGES - 1 <= ack["missed"] <= len(said) - 1
            assert ack["seq"] == said[ack["missed"]]
            assert late.socket.connected
    assert await stack.metric("gateway-1", CLOSED) == before


async def test_whoever_missed_too_much_is_told_the_newest_of_it(stack: TestStack) -> None:
    """500 of them, in as many pages as they take, and that there are more; and what is said meanwhile."""
    room, before = unique("missed"), await _resumes(stack, "truncated")
    async with PythonClient(stack.gateway_urls[1], await stack.token(), transports=["websocket"]) as sender:
        await sender.join(room)
        said = await _say(sender, room, 1, large=False)
        said += await _say(sender, room, 500)
        said += await _say(sender, room, 2, large=False)
        async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as late:
            joining = asyncio.ensure_future(late.join(room, after=said[0]))
            said += await _say(sender, room, 200, large=False)
            ack = await joining
            await until(lambda: late.messages(room)[-1]["seq"] == said[-1], "the last one")
            told = [each["seq"] for each in late.messages(room)]
            # Those said before its join was dealt with are among what it missed.
            assert 500 <= len(told) <= 700
            assert told == said[-len(told) :]
            assert ack["truncated"]
            assert ack["seq"] == told[ack["missed"] - 1]
            assert await _resumes(stack, "truncated") == before + 1


async def test_many_resume_in_a_room_that_does_not_stand_still(stack: TestStack) -> None:
    """Somebody talks all the time, faster than history answers: all get in, nothing missing, nothing twice."""
    room = unique("busy")
    async with AsyncExitStack() as connections:

        async def client(gateway: int, **options: object) -> PythonClient:
            each = PythonClient(stack.gateway_urls[gateway], await stack.token(), **options)
            return await connections.enter_async_context(each)

        sender = await client(0, transports=["websocket"])
        await sender.join(room)
        said = await _say(sender, room, 100, large=False)
        late = [await client(n % 2, transports=[("websocket", "polling")[n % 3 == 0]]) for n in range(12)]
        joined = asyncio.gather(*(each.join(room, after=said[n]) for n, each in enumerate(late)))
        while not joined.done():
            said += await _say(sender, room, 32, large=False)
        said += await _say(sender, room, 32, large=False)
        for n, each in enumerate(late):
            await until(lambda e=each: e.messages(room)[-1]["seq"] == said[-1], "the last one")  # type: ignore[misc]
            assert [message["seq"] for message in each.messages(room)] == said[n + 1 :]
            assert [message["prev"] for message in each.messages(room)] == said[n:-1]
        assert not any(ack["truncated"] for ack in await joined)


async def test_whoever_missed_nothing_costs_no_page(stack: TestStack) -> None:
    """Whether its gateway listens to the room already or not: the stream's last seq says it."""
    room, pages = unique("nothing"), "parley_history_page_duration_seconds_count"
    first, second = stack.gateway_urls
    async with PythonClient(first, await stack.token()) as one, PythonClient(second, await stack.token()) as two:
        await one.join(room)
        (last,) = await _say(one, room, 1, large=False)
        before, complete = await stack.metric("history", pages), await _resumes(stack, "complete")
        for each in (two, one):
            await each.call("leave", {"room": room})
            ack = await each.join(room, after=last)
            assert (ack["seq"], ack["missed"], ack["truncated"]) == (last, 0, False)
        assert two.messages(room) == []
        assert await stack.metric("history", pages) == before
        assert await _resumes(stack, "complete") == complete + 2


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_what_slow_clients_have_still_to_be_told_is_not_in_memory() -> None:
    """Twelve of them, who missed 15 MiB each and read nothing of it, while the room goes on."""
    slow, room = 12, unique("missed")
    async with fresh(environ={"STALL_SECONDS": "60"}) as stack, AsyncExitStack() as members:
        url, port = stack.gateway_urls[0], stack.ports.gateway_1
        sender = await members.enter_async_context(PythonClient(url, await stack.token(), transports=["websocket"]))
        await sender.join(room)
        said = await _say(sender, room, 500)
        before = _resident(stack.children["gateway-1"].pid)
        for _ in range(slow):
            late = await members.enter_async_context(SlowMember(port, await stack.token()))
            await late.send("join", {"room": room, "after": said[0]})

        async def are_behind() -> bool:
            return await stack.metric("gateway-1", "parley_gateway_slow_readers") == slow

        await until(are_behind, "all of them to be behind")
        await _say(sender, room, 64)
        assert await stack.metric("gateway-1", RESUMING) == slow
        assert await stack.metric("gateway-1", "parley_gateway_unsent_bytes") < slow * MIB // 2
        assert _resident(stack.children["gateway-1"].pid) - before < 48 * MIB
        await members.aclose()

        async def is_forgotten() -> bool:
            return await stack.metric("gateway-1", RESUMING) == 0

        await until(is_forgotten, "them to be forgotten")


async def test_whoever_takes_too_long_is_told_so_and_goes_on_from_there() -> None:
    """It stays connected, and joins again behind what it has; then it has everything, once."""
    room = unique("missed")
    async with fresh(environ={"RESUME_SECONDS": "2"}) as stack, AsyncExitStack() as members:
        url, port = stack.gateway_urls[0], stack.ports.gateway_1
        sender = await members.enter_async_context(PythonClient(url, await stack.token(), transports=["websocket"]))
        await sender.join(room)
        said = await _say(sender, room, 200)
        late = await members.enter_async_context(SlowMember(port, await stack.token()))
        await late.send("join", {"room": room, "after": said[0]})

        async def has_given_up() -> bool:
            return (
                await stack.metric("gateway-1", "parley_gateway_events_total", event="join", result="unavailable") > 0
            )

        await until(has_given_up, "the join to fail")
        told, ack = await late.read_until_ack()
        assert ack["error"]["code"] == "unavailable"
        assert ack["error"]["retry_after"] == 1
        while not ack["ok"]:
            await late.send("join", {"room": room, "after": told[-1] if told else said[0]})
            more, ack = await late.read_until_ack()
            told += more
        assert told == said[1:]
