"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

import asyncio
import time
from collections.abc import Awaitable, Callable

DEADLINE_SECONDS = 20.0


async def until(
    condition: Callable[[], bool | Awaitable[bool]],
    what: str,
    *,
    seconds: float = DEADLINE_SECONDS,
    every: float = 0.02,
) -> None:
    """Return once `condition` holds; fails the test with `what` when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        holds = condition()
        if isinstance(holds, Awaitable):
            holds = await holds
        if holds:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(every)
