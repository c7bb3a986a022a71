"""Resuming when many do, and when what they resume from is not there."""

import asyncio
from contextlib import AsyncExitStack
from typing import Self

import nats
import pytest

from tests.support.clients.parley import PythonClient
from tests.support.light_member import LightMember
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until
from wire import streams

CLIENTS = 1000
ROOMS = 20
ROOMS_EACH = 2
CONNECTING_AT_ONCE = 50
MESSAGES_A_SECOND = 40

PAGES = "parley_history_page_duration_seconds_count"
READS = "parley_gateway_resume_reads_total"


class _Talk:
    """Somebody who says something in each of `rooms` in turn, all the time within `async with`."""

    def __init__(self, client: PythonClient, rooms: list[str]) -> None:
        self._client = client
        self.said: dict[str, list[int]] = {room: [] for room in rooms}
        """The seqs of each room."""

    async def __aenter__(self) -> Self:
        for room in self.said:
            await self._client.join(room)
        self._stopping = False
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        await self._running

    async def _run(self) -> None:
        while not self._stopping:
            for room, seqs in self.said.items():
                ack = await self._client.say(room, unique("m"))
                assert ack["ok"], ack
                seqs.append(ack["seq"])
                await asyncio.sleep(1 / MESSAGES_A_SECOND)


async def _members(
    stack: TestStack, exits: AsyncExitStack, rooms: list[str], may_connect: asyncio.Event
) -> list[LightMember]:
    """All on gateway 1; they know gateway 2."""
    ports = [stack.ports.gateway_1, stack.ports.gateway_2]
    members: list[LightMember] = []
    while len(members) < CLIENTS:
        for number in range(len(members), len(members) + CONNECTING_AT_ONCE):
            its_rooms = [rooms[(number + step * 7) % ROOMS] for step in range(ROOMS_EACH)]
            member = LightMember(ports, await stack.token(), its_rooms, may_connect)
            members.append(await exits.enter_async_context(member))
        await until(lambda: all(each.is_in for each in members), "them to be in")
    return members


async def test_a_thousand_clients_whose_gateway_died_share_what_is_read_for_them(own_stack: TestStack) -> None:
    """Everybody has everything, once and in order; each part of a room is read once, whoever missed it."""
    stack = own_stack
    rooms = [unique("storm") for _ in range(ROOMS)]
    async with AsyncExitStack() as exits:
        may_connect = asyncio.Event()
        may_connect.set()
        members = await _members(stack, exits, rooms, may_connect)
        sender = PythonClient(stack.gateway_urls[1], await stack.token(), transports=["websocket"])
        async with sender, _Talk(sender, rooms) as talk:
            await until(lambda: all(len(seqs) > 2 for seqs in talk.said.values()), "traffic")
            pages = await stack.metric("history", PAGES)
            may_connect.clear()
            await stack.children["gateway-1"].kill()
            await until(lambda: not any(each.joined for each in members), "everybody to notice")
            counts = {room: len(seqs) for room, seqs in talk.said.items()}
            await until(lambda: all(len(talk.said[room]) > counts[room] for room in rooms), "all to have missed some")
            may_connect.set()
            await until(lambda: all(each.connections > 1 and each.is_in for each in members), "all to be back")
        pages = await stack.metric("history", PAGES) - pages
        for member in members:
            for room, told in member.told.items():
                said = talk.said[room]
                await until(lambda t=told, s=said: len(t) >= len(s), "the last")  # type: ignore[misc]
                assert [each["seq"] for each in told] == said
                assert [each["prev"] for each in told] == [0, *said[:-1]]
        parts = {each for member in members for each in member.resumed}
        assert all(ack["missed"] > 0 for member in members for ack in member.joined.values())
        assert 0 < pages <= len(parts)
        assert pages == await stack.metric("gateway-2", READS, source="history")
        assert await stack.metric("gateway-2", READS, source="memory") > CLIENTS


async def _persisted(stack: TestStack, seq: int) -> None:
    """Wait until the message at `seq` is in MongoDB, as the stream's consumer knows."""
    client = await nats.connect(stack.nats_url)

    async def is_persisted() -> bool:
        floor = (await client.jetstream().consumer_info(streams.MESSAGES, streams.HISTORY_CONSUMER)).ack_floor
        return floor is not None and floor.stream_seq >= seq

    try:
        await until(is_persisted, "it to be in MongoDB")
    finally:
        await client.close()


@pytest.mark.parametrize("gone", ["mongo", "history"])
async def test_a_client_resumes_while_history_cannot_answer(own_stack: TestStack, gone: str) -> None:
    """What it missed before and during the outage is in the stream, and comes from there."""
    stack = own_stack
    room = unique("outage")
    async with (
        PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as sender,
        PythonClient(stack.gateway_urls[1], await stack.token(), transports=["websocket"]) as late,
    ):
        await sender.join(room)
        seqs = [(await sender.say(room, f"m{number}"))["seq"] for number in range(10)]

        await _persisted(stack, seqs[-1])
        await stack.children[gone].kill()
        seqs += [(await sender.say(room, f"m{number}"))["seq"] for number in range(10, 20)]
        ack = await late.join(room, after=seqs[3])
        assert (ack["missed"], ack["truncated"], ack["seq"]) == (16, False, seqs[-1])
        seqs.append((await sender.say(room, "live"))["seq"])
        await until(lambda: len(late.messages(room)) == 17, "all of them, and what is live")
        assert [each["seq"] for each in late.messages(room)] == seqs[4:]
        assert [each["prev"] for each in late.messages(room)] == seqs[3:-1]
        assert await stack.metric("gateway-2", READS, source="stream") == 1
