"""The end of a task that would go on for ever."""

import asyncio


async def ended(task: "asyncio.Task[None]", *, within: float) -> None:
    """Wait for `task` for so many seconds, and then cancel it until it has ended. Never raises."""
    await asyncio.wait({task}, timeout=within)
    while not task.done():
        # Once may not be enough: nats-py waits with `wait_for`, which in Python 3.11 may swallow it.
        task.cancel()
        await asyncio.wait({task}, timeout=1)
