"""Both gateways are started again, one after the other, and nobody notices more than a short pause."""

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Final

from deploy.local.stack import GATEWAYS
from tests.support.light_crowd import ROOMS, Talk, all_were_told, light_members
from tests.support.light_member import LONGEST_DELAY_SECONDS, LightMember
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until

DRAIN_SECONDS: Final = 5
MARGIN_SECONDS: Final = 5.0
"""For a machine that has other things to do: to end and to join take no time otherwise."""
ENDING_SECONDS: Final = DRAIN_SECONDS + 20


async def _start_again(stack: TestStack, name: str) -> None:
    gateway = stack.children[name]
    gateway.send_signal(signal.SIGTERM)
    async with asyncio.timeout(ENDING_SECONDS):
        assert "exit code 0" in await gateway.ended()
    await gateway.start()
    await stack.ready(name)


async def test_a_rolling_restart_loses_nothing_and_nobody_waits_for_long() -> None:
    """Of 1,000, under steady traffic; no longer than the drain plus the own delay, though all try the same one first.

    So they also meet a gateway that refuses them because it drains, and one that has just ended.
    """
    rooms = [unique("rolling") for _ in range(ROOMS)]
    may_connect = asyncio.Event()
    may_connect.set()
    async with fresh(environ={"DRAIN_SECONDS": str(DRAIN_SECONDS)}) as stack, AsyncExitStack() as exits:
        one, two = stack.ports.gateway_1, stack.ports.gateway_2
        ways = [[one, one, two, two], [two, two, one, one]]
        members = await light_members(stack, exits, rooms, ways, may_connect)
        for ports in ways:
            speaker = LightMember(ports, await stack.token(), rooms, may_connect)
            members.append(await exits.enter_async_context(speaker))
        speakers = members[-len(ways) :]
        await until(lambda: all(each.is_in for each in speakers), "the speakers to be in")
        async with Talk(speakers, rooms) as talk:
            for name in GATEWAYS:
                await talk.more()
                await _start_again(stack, name)
                await until(lambda: all(each.is_in for each in members), "everybody to be back")
            await talk.more()
        await all_were_told(members, talk.said)
        assert all(each.waits for each in members)
        assert max(max(each.waits) for each in members) <= DRAIN_SECONDS + LONGEST_DELAY_SECONDS + MARGIN_SECONDS
