"""Resuming when many do, and when what they resume from is not there."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.support.clients.parley import PythonClient
from tests.support.light_crowd import CLIENTS, ROOMS, Talk, all_were_told, light_members
from tests.support.light_member import LightMember
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until
from wire import streams

PAGES = "parley_history_page_duration_seconds_count"
READS = "parley_gateway_resume_reads_total"


async def test_a_thousand_clients_whose_gateway_died_share_what_is_read_for_them(own_stack: TestStack) -> None:
    """Everybody has everything, once and in order; each part of a room is read once, whoever missed it."""
    stack = own_stack
    rooms = [unique("storm") for _ in range(ROOMS)]
    ports = [stack.ports.gateway_1, stack.ports.gateway_2]
    may_connect = asyncio.Event()
    may_connect.set()
    async with AsyncExitStack() as exits:
        members = await light_members(stack, exits, rooms, [ports], may_connect)
        sender = await exits.enter_async_context(LightMember(ports[1:], await stack.token(), rooms, may_connect))
        async with Talk([sender], rooms) as talk:
            await talk.more()
            await talk.more()
            pages = await stack.metric("history", PAGES)
            may_connect.clear()
            await stack.children["gateway-1"].kill()
            await until(lambda: not any(each.joined for each in members), "everybody to notice")
            await talk.more()
            may_connect.set()
            await until(lambda: all(each.connections > 1 and each.is_in for each in members), "all to be back")
        pages = await stack.metric("history", PAGES) - pages
        await all_were_told([*members, sender], talk.said)
        parts = {each for member in members for each in member.resumed}
        assert all(ack["missed"] > 0 for member in members for ack in member.joined.values())
        assert 0 < pages <= len(parts)
        assert pages == await stack.metric("gateway-2", READS, source="history")
        assert await stack.metric("gateway-2", READS, source="memory") > CLIENTS


async def _persisted(stack: TestStack, seq: int) -> None:
    """Wait until the message at `seq` is in MongoDB, as the stream's consumer knows."""
    async with stack.nats() as client:

        async def is_persisted() -> bool:
            floor = (await client.jetstream().consumer_info(streams.MESSAGES, streams.HISTORY_CONSUMER)).ack_floor
            return floor is not None and floor.stream_seq >= seq

        await until(is_persisted, "it to be in MongoDB")


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
