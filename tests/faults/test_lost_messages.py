"""Messages that NATS loses on their way to a gateway: its members get them all the same."""

import asyncio
import signal

import aiohttp

from tests.support.losing import nothing_live
from tests.support.members import two_members
from tests.support.nats_server import nats_server
from tests.support.stacks import fresh, unique
from tests.support.waiting import until

QUIET_CHECKS = "parley_gateway_quiet_checks_total"
GATEWAYS = ("gateway-1", "gateway-2")


async def test_what_was_lost_is_found_in_a_room_that_stays_quiet() -> None:
    """Nothing follows that could show the hole: the gateways ask, and their members get what they missed."""
    room, quiet = unique("lost"), unique("quiet")
    async with fresh(environ={"QUIET_CHECK_SECONDS": "1"}) as stack, two_members(stack, room) as (one, two):
        await one.join(quiet)
        seqs = [(await one.say(room, "m1"))["seq"]]
        await until(lambda: bool(one.messages(room) and two.messages(room)), "what is live")
        async with nothing_live(stack):
            seqs += [(await one.say(room, f"m{number}"))["seq"] for number in (2, 3)]
            for each in (one, two):
                await until(lambda e=each: len(e.messages(room)) == 3, "what was lost")  # type: ignore[misc]
                assert [message["seq"] for message in each.messages(room)] == seqs
                assert [message["prev"] for message in each.messages(room)] == [0, *seqs[:-1]]
        seqs.append((await two.say(room, "m4"))["seq"])
        for each in (one, two):
            await until(lambda e=each: len(e.messages(room)) == 4, "what is live again")  # type: ignore[misc]
            assert [message["seq"] for message in each.messages(room)] == seqs

        for name in GATEWAYS:
            assert await stack.metric(name, QUIET_CHECKS, result="behind") >= 1
            found = await stack.metric(name, "parley_gateway_gaps_found_total")
            assert 1 <= found == await stack.metric(name, "parley_gateway_gaps_healed_total")
            assert await stack.metric(name, "parley_gateway_gaps_unhealable_total") == 0
            assert await stack.metric(name, "parley_gateway_gaps_open") == 0
            # Whoever waited for what was lost has waited: it is in the objective with the others.
            assert await stack.metric(name, "parley_gateway_delivery_latency_seconds_count") == 4

        async def is_asked_about() -> bool:
            return await stack.metric("gateway-1", QUIET_CHECKS, result="ok") > 0

        await until(is_asked_about, "the room to be asked about in which nothing was lost")


async def test_a_gateway_that_nats_dropped_for_reading_too_slowly_catches_up() -> None:
    """nats-server closes its connection and drops what waited there: nobody misses anything, once it reads again."""
    room, large = unique("dropped"), "x" * 16_000
    async with (
        nats_server('max_pending: 1MB\nwrite_deadline: "1s"\n') as server,
        fresh(nats_url=server.url, environ={"UNSENT_MOST_BYTES": str(1 << 27), "BATCH_SIZE": "16"}) as stack,
        two_members(stack, room) as (one, two),
        aiohttp.ClientSession() as http,
    ):

        async def is_dropped() -> bool:
            async with http.get(f"{server.monitor_url}/connz") as response:
                return "gateway-1" not in [each["name"] for each in (await response.json())["connections"]]

        seqs: list[int] = []
        stack.children["gateway-1"].send_signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(60):
                while not await is_dropped():
                    acks = await asyncio.gather(*(two.say(room, unique("m"), large, data=large) for _ in range(16)))
                    seqs += [ack["seq"] for ack in acks]
        finally:
            stack.children["gateway-1"].send_signal(signal.SIGCONT)
        seqs.append((await two.say(room, "last"))["seq"])
        await until(lambda: len(one.messages(room)) == len(seqs), "all of them", seconds=60)
        assert [each["seq"] for each in one.messages(room)] == sorted(seqs)
        assert await stack.metric("gateway-1", "parley_nats_reconnects_total") >= 1
        assert await stack.metric("gateway-1", "parley_gateway_gaps_healed_total") >= 1
