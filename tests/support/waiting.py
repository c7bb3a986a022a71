"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

import asyncio
import time
from collections.abc import Awaitable, Callable

DEADLINE_SECONDS = 20.0
_LONGEST_PAUSE = 0.1


async def until(
    condition: Callable[[], bool | Awaitable[bool]],
    what: str,
    *,
    seconds: float = DEADLINE_SECONDS,
    every: float = 0.02,
) -> None:
    """Return once `condition` holds; fails the test with `what` when it does not within `seconds`.

    Asks again after `every` seconds, and less often the longer it takes: many conditions ask a process, which costs
    the time that all wait for.
    """
    began = time.monotonic()
    while True:
        holds = condition()
        if isinstance(holds, Awaitable):
            holds = await holds
        if holds:
            return
        waited = time.monotonic() - began
        if waited > seconds:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(max(every, min(waited / 20, _LONGEST_PAUSE)))
