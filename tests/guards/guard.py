"""What guards have in common."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from tests.guards.target import Target

Guard = Callable[[Target], Awaitable[None]]

FLOOD = '42["flood",256,32768]'
"""8 MiB, in 256 events."""


async def comes(target: Target, condition: Callable[[], bool]) -> bool:
    """Whether `condition` comes true while the target is waited for."""
    deadline = time.monotonic() + target.patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


async def is_over(target: Target) -> bool:
    """Whether the application is told that the session is over."""
    return await comes(target, lambda: "disconnect" in target.names())
