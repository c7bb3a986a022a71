"""A nats-server that comes back without the end of its stream, as after a power failure."""

import shutil

from tests.support.members import two_members
from tests.support.restoring import history
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

_BELOW = "parley_history_stream_ends_below_messages"


async def test_history_says_at_once_that_the_stream_lost_its_end(own_stack: TestStack) -> None:
    """While it runs, and once; and that it is well again when the stream was made anew above what MongoDB holds."""
    stack, room, kept = own_stack, unique("end"), own_stack.data / "kept"
    async with two_members(stack, room) as (one, two):

        async def says() -> int:
            ack = await one.say(room, unique("m"))
            return int(ack["seq"]) if ack["ok"] else 0

        async def is_stored() -> bool:
            return await says() > 0

        for _ in range(5):
            assert await says()
        await stack.children["nats"].kill()
        shutil.copytree(stack.data / "nats", kept)
        await stack.children["nats"].start()
        await until(is_stored, "a message to be stored", seconds=40)
        last = [await says() for _ in range(5)][-1]
        await history(stack, "persisted")
        assert await stack.metric("history", _BELOW) == 0

        await stack.children["nats"].kill()
        shutil.rmtree(stack.data / "nats")
        kept.rename(stack.data / "nats")
        await stack.children["nats"].start()

        async def ends_below() -> bool:
            return await stack.metric("history", _BELOW) == last - 5

        await until(ends_below, "history to notice", seconds=40)
        assert len([line for line in stack.output if "the stream ends below" in line]) == 1
        async with stack.nats() as client:
            await client.jetstream().delete_stream("MESSAGES")
        await stack.setup()

        async def is_well() -> bool:
            return await stack.metric("history", _BELOW) == 0

        await until(is_well, "history to see the new stream", seconds=40)
        await until(is_stored, "a message to be stored", seconds=40)
        new = await says()
        assert new > last
        await until(lambda: new in [each["seq"] for each in two.messages(room)], "it to be shown")
