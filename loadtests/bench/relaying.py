"""Whether a target's gateways are one system: a peer that has lost its broker would be measured as a cheap one."""

import asyncio
import time
from typing import Final

from loadtests.bench.crowd import Crowd
from loadtests.bench.flow import Speakers
from loadtests.bench.targets import Target
from loadtests.light.connection import ClientError

_SECONDS: Final = 10.0


async def check(target: Target) -> None:
    """Raises `ClientError` unless a message said on gateway 1 is heard on gateway 2."""
    if target.traits.fan_out_only:
        return
    here, there = Crowd(target, 1, name="both"), Crowd(target, 2, first_user=1, name="both")
    try:
        for crowd in (here, there):
            await crowd.connect(1, room_size=1)
            await crowd.join()
        there.audiences[0].say()
        Speakers(here.listen(1)).say(here.audiences[0])
        deadline = time.perf_counter() + _SECONDS
        while not there.audiences[0].heard:
            if time.perf_counter() > deadline:
                raise ClientError("a message of one gateway does not reach the other")
            await asyncio.sleep(0.01)
    finally:
        await here.drop()
        await there.drop()
