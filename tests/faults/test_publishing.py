"""Publishing when the stream does not take messages, or takes its time: a clear answer, and never a silent loss."""

import asyncio
from typing import Any, Final

from tests.support.clients.parley import JsClient
from tests.support.members import two_members
from tests.support.paused import paused
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until

FULL: Final = 64 * 1024
"""Bytes that the stream may hold."""
BODY: Final = "b" * 4000
IN_FLIGHT: Final = 8
EVENTS_AT_ONCE: Final = 64
"""Of one connection, as docs/ARCHITECTURE.md says."""
DURATIONS: Final = "parley_gateway_publish_duration_seconds_count"


async def _is_in_flight(stack: TestStack, count: int) -> bool:
    return await stack.metric("gateway-1", "parley_gateway_publishes_in_flight") == count


async def test_a_full_stream_tells_every_sender_and_takes_messages_again_once_there_is_room() -> None:
    """`unavailable`, and not stored: nobody sees it. What was stored before is still there, and its id is known."""
    room = unique("full")
    async with fresh(environ={"MESSAGES_MAX_BYTES": str(FULL)}) as stack, two_members(stack, room) as (one, two):
        acks: list[Any] = []
        while not acks or acks[-1]["ok"]:
            acks.append(await one.say(room, f"m{len(acks)}", BODY))
            assert len(acks) < FULL // len(BODY) + 2, "it should be full"
        *stored, refused = acks
        assert refused["error"]["code"] == "unavailable"
        assert "not stored" in refused["error"]["message"]
        assert refused["error"]["retry_after"] > 0
        assert (await two.say(room, "m-two", BODY))["error"]["code"] == "unavailable"
        assert await stack.metric("gateway-1", DURATIONS, result="refused") == 1
        assert len([line for line in stack.output if "the stream takes no messages" in line]) == 2, "once a gateway"

        seqs = [ack["seq"] for ack in stored]
        again = await one.say(room, "m0", BODY)
        assert (again["seq"], again["duplicate"]) == (seqs[0], True)
        assert not [line for line in stack.output if "the stream takes messages again" in line]

        await stack.setup(MESSAGES_MAX_BYTES=str(4 * FULL))
        retried = await one.say(room, f"m{len(stored)}", BODY)
        assert (retried["ok"], retried["duplicate"]) == (True, False)
        assert (await one.say(room, "m0", BODY))["duplicate"]
        assert len([line for line in stack.output if "the stream takes messages again" in line]) == 1
        for client in (one, two):
            await until(lambda c=client: len(c.messages(room)) == len(acks), "all that was stored")  # type: ignore[misc]
            assert [each["seq"] for each in client.messages(room)] == [*seqs, retried["seq"]]
        page = await one.call("history", {"room": room, "limit": 100})
        assert [each["seq"] for each in page["messages"]] == [*seqs, retried["seq"]]


async def test_what_a_gateway_has_on_its_way_to_the_stream_is_bounded() -> None:
    """More is refused at once, as `rate_limited`: it was not stored, and may be sent again, by the same id or not."""
    room = unique("bound")
    async with (
        fresh(environ={"PUBLISHES_IN_FLIGHT_MOST": str(IN_FLIGHT)}) as stack,
        two_members(stack, room) as (one, two),
    ):
        async with paused(stack.children["nats"]):
            saying = [asyncio.create_task(one.say(room, f"m{number}")) for number in range(IN_FLIGHT)]
            await until(lambda: _is_in_flight(stack, IN_FLIGHT), "the first of them to be on their way")
            refused = await one.say(room, "m-more")
            assert refused["error"]["code"] == "rate_limited"
            assert refused["error"]["retry_after"] > 0
            assert not any(each.done() for each in saying)
        acks = await asyncio.gather(*saying)
        assert all(ack["ok"] for ack in acks)
        retried = await one.say(room, "m-more")
        assert (retried["ok"], retried["duplicate"]) == (True, False)
        await until(lambda: len(two.messages(room)) == IN_FLIGHT + 1, "all of them")
        assert [each["seq"] for each in two.messages(room)] == [*(ack["seq"] for ack in acks), retried["seq"]]
        assert await _is_in_flight(stack, 0)


async def test_what_one_connection_has_on_its_way_is_bounded(own_stack: TestStack) -> None:
    """What comes above it waits in the socket, in its order: the client is slowed down, and nothing is refused."""
    stack = own_stack
    room = unique("socket")
    async with JsClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
        await client.join(room)
        payloads = [{"room": room, "id": f"m{number}", "body": "hello"} for number in range(3 * EVENTS_AT_ONCE)]
        async with paused(stack.children["nats"]):
            saying = asyncio.create_task(client.burst("message", payloads))
            await until(lambda: _is_in_flight(stack, EVENTS_AT_ONCE), "as many as there may be")
            assert await _is_in_flight(stack, EVENTS_AT_ONCE)
        acks = await saying
        assert all(ack["ok"] for ack in acks)
        assert [ack["seq"] for ack in acks] == sorted(ack["seq"] for ack in acks)
        await until(lambda: len(client.messages(room)) == len(payloads), "all of them")
        assert [each["id"] for each in client.messages(room)] == [each["id"] for each in payloads]


async def test_what_the_stream_does_not_answer_in_time_is_sent_again_and_stored_once() -> None:
    """`unavailable`: it may be stored. The stream has it in the end, and the same id is acknowledged with its seq."""
    room = unique("unknown")
    async with fresh(environ={"PUBLISH_TIMEOUT_SECONDS": "0.5"}) as stack, two_members(stack, room) as (one, two):
        async with paused(stack.children["nats"]):
            assert (await one.say(room, "m1"))["error"]["code"] == "unavailable"
        await until(lambda: bool(two.messages(room)), "it, all the same")
        again = await one.say(room, "m1")
        assert (again["duplicate"], again["seq"]) == (True, two.messages(room)[0]["seq"])
        last = await one.say(room, "m2")
        await until(lambda: two.messages(room)[-1]["seq"] == last["seq"], "the next one")
        assert [each["id"] for each in two.messages(room)] == ["m1", "m2"]
