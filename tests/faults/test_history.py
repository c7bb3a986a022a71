"""History when the ground moves under it: a stream that is lost, messages that cannot be written, two instances."""

import signal
import sys
from typing import Any

from pymongo import MongoClient

from deploy.local.ports import Ports
from deploy.local.process import Child
from deploy.local.stack import ROOT
from tests.support.clients.parley import PythonClient
from tests.support.members import two_members
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until


async def _js(stack: TestStack, work: Any, *, user: str = "admin") -> None:
    async with stack.nats(user) as client:
        await work(client.jetstream())


async def _persisted(stack: TestStack, count: int) -> bool:
    return await stack.metric("history", "parley_history_persisted_messages_total") == count


async def _told_once(stack: TestStack, missing: str) -> None:
    """Wait until history has said what is missing, and what to run."""
    said = f"{missing} is missing: run `python -m services.history setup`"

    async def is_told() -> bool:
        return any(said in line for line in stack.output)

    await until(is_told, "history to say so")
    assert len([line for line in stack.output if said in line]) == 1


def _dead_letter(stack: TestStack) -> dict[str, Any]:
    client: MongoClient[dict[str, Any]] = MongoClient(stack.mongo_url_of("root"))
    with client:
        (letter,) = client["parley_history"]["dead_letters"].find()
    return letter


async def _say(client: PythonClient, room: str, id: str) -> int:
    """Send until it is acknowledged."""
    acks: list[Any] = []

    async def acked() -> bool:
        acks.append(await client.say(room, id))
        return bool(acks[-1]["ok"])

    await until(acked, "an acknowledgement", seconds=40)
    return int(acks[-1]["seq"])


async def test_a_stream_that_is_lost_is_made_again_above_all_that_it_may_have_held(own_stack: TestStack) -> None:
    """By the admin step, and also above what was acknowledged and never reached MongoDB.

    What history held in hand is not lost with it.
    """
    stack = own_stack
    room = unique("lost")
    async with two_members(stack, room) as (one, two):
        before = [await _say(one, room, f"before-{number}") for number in range(10)]
        await until(lambda: _persisted(stack, 10), "them to be persisted")
        stack.children["mongo"].send_signal(signal.SIGSTOP)
        try:
            before += [await _say(one, room, f"unpersisted-{number}") for number in range(10)]
            await _js(stack, lambda js: js.delete_stream("MESSAGES"))
        finally:
            stack.children["mongo"].send_signal(signal.SIGCONT)
        await _told_once(stack, "the stream MESSAGES")
        assert not await stack.is_ready("history")
        await stack.setup()
        after = [await _say(one, room, f"after-{number}") for number in range(5)]
        assert min(after) > max(before)
        for client in (one, two):
            await until(lambda c=client: len(c.messages(room)) == 25, "all of them, live")  # type: ignore[misc]
            assert [each["seq"] for each in client.messages(room)] == before + after
        page = await one.call("history", {"room": room, "limit": 100})
        kept = [each["seq"] for each in page["messages"]]
        assert set(before[:10] + after) <= set(kept)


async def test_a_stream_that_ends_below_what_mongodb_holds_is_told(own_stack: TestStack) -> None:
    """NATS has lost what it had acknowledged: only people can tell what to do. What the stream has is persisted."""
    stack, room = own_stack, unique("below")
    await stack.children["history"].kill()
    client: MongoClient[dict[str, Any]] = MongoClient(stack.mongo_url_of("root"))
    with client:
        highest = {"$set": {"highest_seq": 9_000}}
        client["parley_history"]["state"].update_one({"_id": "messages"}, highest, upsert=True)
    await stack.children["history"].start()
    said = "the stream ends below what MongoDB holds"
    await until(lambda: any(said in line and '"highest_seq": 9000' in line for line in stack.output), "it to be told")
    async with PythonClient(stack.gateway_urls[0], await stack.token()) as one:
        await one.join(room)
        await _say(one, room, "m")
        await until(lambda: _persisted(stack, 1), "it to be persisted")


async def test_a_consumer_that_is_lost_is_made_again(own_stack: TestStack) -> None:
    """By the admin step; it starts from the beginning, and finds everything in place."""
    stack = own_stack
    room = unique("consumer")
    async with PythonClient(stack.gateway_urls[0], await stack.token()) as client:
        await client.join(room)
        seqs = [await _say(client, room, f"m{number}") for number in range(5)]
        await until(lambda: _persisted(stack, 5), "them to be persisted")
        await _js(stack, lambda js: js.delete_consumer("MESSAGES", "history"))
        await _told_once(stack, "the consumer history")
        await stack.setup()

        async def again() -> bool:
            return await stack.metric("history", "parley_history_already_persisted_messages_total") >= 5

        await until(again, "the consumer to be back", seconds=40)
        seqs.append(await _say(client, room, "m5"))
        page = await client.call("history", {"room": room})
        assert [each["seq"] for each in page["messages"]] == seqs


async def test_a_message_with_numbers_out_of_range_is_kept_aside(own_stack: TestStack) -> None:
    """It is JSON, and MongoDB could not hold it: a dead letter, and history goes on."""
    stack = own_stack
    room = unique("range")
    async with PythonClient(stack.gateway_urls[0], await stack.token()) as client:
        await client.join(room)
        poison = b'{"type":"message","id":"p","from":{"id":"u","display_name":"U"},"body":"x","ts":%d}' % 2**70
        await _js(stack, lambda js: js.publish(f"chat.room.{room}.message", poison), user="gateway")
        seq = await _say(client, room, "m1")

        async def kept_aside() -> bool:
            return await stack.metric("history", "parley_history_dead_letters_total") == 1

        await until(kept_aside, "the dead letter")
        letter = _dead_letter(stack)
        assert (letter["subject"], letter["payload"]) == (f"chat.room.{room}.message", poison)
        assert "ts" in letter["reason"]
        page = await client.call("history", {"room": room})
        assert [each["seq"] for each in page["messages"]] == [seq]
        assert stack.children["history"].is_running


async def test_two_instances_share_the_work(own_stack: TestStack) -> None:
    """Every message is persisted once, and either answers a complete page; one may be killed."""
    stack = own_stack
    room = unique("two")
    ports = Ports.free()
    environ = {**stack.environment("history-2"), "ADMIN_PORT": str(ports.history_admin)}
    second = Child(
        "history-2",
        [sys.executable, "-m", "services.history"],
        cwd=ROOT,
        environ=environ,
        sink=lambda name, line: stack.output.append(f"{name} | {line}"),
    )
    await second.start()
    try:
        await until(lambda: any("history-2" in line and "ready" in line for line in stack.output), "the second one")
        async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
            await client.join(room)
            seqs = []
            for number in range(150):
                seqs.append(await _say(client, room, f"m{number}"))
                if number == 75:
                    await stack.children["history"].kill()
                if number % 10 == 0 and number < 70:
                    page = await client.call("history", {"room": room, "limit": 200})
                    assert [each["seq"] for each in page["messages"]] == seqs
            pages: list[Any] = []

            async def complete() -> bool:
                pages.append(await client.call("history", {"room": room, "limit": 200}))
                return bool(pages[-1]["ok"])

            await until(complete, "a page", seconds=60)
            assert [each["seq"] for each in pages[-1]["messages"]] == seqs
    finally:
        await second.kill()
