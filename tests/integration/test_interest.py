"""Interest routing: a gateway spends nothing on a room that none of its clients is in."""

from tests.support.clients.parley import PythonClient
from tests.support.members import two_members
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until


async def test_one_subscription_per_room_with_local_members_and_none_otherwise(stack: TestStack) -> None:
    """As nats-server sees it: made for the first member, shared by the next, gone after the last and the linger."""
    room = unique("interest")
    subject = f"live.room.{room}.*"

    async def count(gateway: str) -> int:
        return (await stack.nats_subscriptions(gateway)).count(subject)

    async def is_gone() -> bool:
        return await count("gateway-1") == 0

    first, _ = stack.gateway_urls
    async with PythonClient(first, await stack.token()) as one:
        await one.join(room)
        assert (await count("gateway-1"), await count("gateway-2")) == (1, 0)
        async with PythonClient(first, await stack.token()) as two:
            await two.join(room)
            assert await count("gateway-1") == 1
        assert await count("gateway-1") == 1
        await one.call("leave", {"room": room})
        assert await count("gateway-1") == 1, "it lingers, for those who come right back"
        await one.join(room)
        assert await count("gateway-1") == 1
    await until(is_gone, "the subscription to go after the linger")


async def test_a_gateway_without_members_handles_no_bytes_of_a_room(stack: TestStack) -> None:
    """Two hundred messages in a room of gateway 1 leave gateway 2's counters where they were."""
    room = unique("foreign")
    name = "parley_gateway_live_received_bytes_total"
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
        await client.join(room)
        before = [await stack.metric(each, name) for each in ("gateway-1", "gateway-2")]
        for number in range(200):
            await client.say(room, f"m{number}", "x" * 500)
        await until(lambda: len(client.messages(room)) == 200, "all of them")
        after = [await stack.metric(each, name) for each in ("gateway-1", "gateway-2")]
    assert after[0] - before[0] > 200 * 500
    assert after[1] == before[1]
    assert not [each for each in await stack.nats_subscriptions("gateway-2") if room in each]


async def test_rejoining_during_the_linger_misses_nothing(stack: TestStack) -> None:
    """What was said between leaving and coming back arrives once: as missed, or live when it is still on its way."""
    room = unique("linger")
    async with two_members(stack, room) as (one, two):
        await one.call("leave", {"room": room})
        seqs = [(await two.say(room, "m1"))["seq"]]
        await one.join(room, after=0)
        seqs.append((await two.say(room, "m2"))["seq"])
        await until(lambda: len(one.messages(room)) >= len(seqs), "both messages")
        assert [each["seq"] for each in one.messages(room)] == seqs
