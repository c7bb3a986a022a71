"""Whoever does not read is closed, counted and forgotten; whoever does notices nothing."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.support.clients.parley import PythonClient
from tests.support.slow_member import SlowMember
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until

CLOSED = "parley_gateway_slow_readers_closed_total"
BODY = "b" * 15_000
MIB = 1 << 20


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _talk(stack: TestStack, room: str, *, until_closed: str, bytes_most: int, pause: float = 0) -> None:
    """Two members chat until the one who does not read is closed; they get everything, in order."""
    before = await stack.metric("gateway-1", CLOSED, reason=until_closed)
    url = stack.gateway_urls[0]
    async with (
        PythonClient(url, await stack.token(), transports=["websocket"]) as one,
        PythonClient(url, await stack.token(), transports=["polling"]) as two,
        SlowMember(stack.ports.gateway_1, await stack.token()) as slow,
    ):
        await slow.send("join", {"room": room})
        await slow.read_until_ack()
        await one.join(room)
        await two.join(room)
        connections = await stack.metric("gateway-1", "parley_gateway_connections")
        memory = _resident(stack.children["gateway-1"].pid)
        seqs: list[int] = []
        while await stack.metric("gateway-1", CLOSED, reason=until_closed) == before:
            assert len(seqs) * len(BODY) < bytes_most, "it is not closed"
            acks = await asyncio.gather(*(one.say(room, f"m{len(seqs) + number}", BODY) for number in range(8)))
            seqs += sorted(ack["seq"] for ack in acks)
            await asyncio.sleep(pause)
        assert await stack.metric("gateway-1", CLOSED, reason=until_closed) == before + 1
        last = (await one.say(room, "last"))["seq"]
        for client in (one, two):
            await until(lambda c=client: c.messages(room)[-1]["seq"] == last, "the last message")  # type: ignore[misc]
            assert [each["seq"] for each in client.messages(room)] == [*seqs, last]
            assert [each["prev"] for each in client.messages(room)] == [0, *seqs]

        async def is_forgotten() -> bool:
            return (
                await stack.metric("gateway-1", "parley_gateway_connections") == connections - 1
                and await stack.metric("gateway-1", "parley_gateway_unsent_bytes") == 0
                and await stack.metric("gateway-1", "parley_gateway_slow_readers") == 0
            )

        await until(is_forgotten, "it to be forgotten")
        assert _resident(stack.children["gateway-1"].pid) - memory < 16 * MIB


async def test_a_reader_that_falls_behind_is_closed_and_nobody_else_notices(stack: TestStack) -> None:
    """More than 1 MiB, beyond what the kernel takes: long before the 5 s of a stall, in a busy room."""
    await _talk(stack, unique("slow"), until_closed="behind", bytes_most=64 * MIB)


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"UNSENT_MOST_BYTES": str(256 * MIB), "STALL_SECONDS": "5"}, "stalled"),
        ({"UNSENT_TOTAL_MOST_BYTES": str(MIB // 2)}, "overload"),
    ],
    ids=["stalled", "overload"],
)
async def test_so_is_one_that_stalls_or_is_the_furthest_behind_of_all(environ: dict[str, str], reason: str) -> None:
    """Each with limits under which only that can happen."""
    async with fresh(environ=environ) as stack:
        pause = 0.2 if reason == "stalled" else 0
        await _talk(stack, unique("slow"), until_closed=reason, bytes_most=128 * MIB, pause=pause)
