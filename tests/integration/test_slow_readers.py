"""Whoever does not read is closed, counted and forgotten; whoever does notices nothing."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.local.ports import HOST
from tests.conformance.raw import TEXT, frame
from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until

CLOSED = "parley_gateway_slow_readers_closed_total"
BODY = "b" * 15_000
MIB = 1 << 20


@asynccontextmanager
async def _member_that_does_not_read(stack: TestStack, room: str) -> AsyncIterator[socket.socket]:
    """In `room` on gateway 1, over a WebSocket; from then on it reads nothing."""
    port = stack.ports.gateway_1
    loop = asyncio.get_running_loop()
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await loop.sock_connect(raw, (HOST, port))

        async def say(packet: str) -> None:
            await loop.sock_sendall(raw, frame(TEXT, packet.encode()))

        async def hear(what: bytes) -> None:
            heard = b""
            async with asyncio.timeout(10):
                while what not in heard:
                    more = await loop.sock_recv(raw, 4096)
                    assert more, heard
                    heard += more

        head = (
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\n\r\n"
        )
        await loop.sock_sendall(raw, head.encode())
        await hear(b'0{"sid"')
        await say("40" + json.dumps({"token": await stack.token()}))
        await hear(b'["session"')
        await say('421["join",' + json.dumps({"room": room}) + "]")
        await hear(b"431[")
        yield raw


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _talk(stack: TestStack, room: str, *, until_closed: str, bytes_most: int, pause: float = 0) -> None:
    """Two members chat until the one who does not read is closed; they get everything, in order."""
    before = await stack.metric("gateway-1", CLOSED, reason=until_closed)
    url = stack.gateway_urls[0]
    async with (
        PythonClient(url, await stack.token(), transports=["websocket"]) as one,
        PythonClient(url, await stack.token(), transports=["polling"]) as two,
        _member_that_does_not_read(stack, room),
    ):
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
