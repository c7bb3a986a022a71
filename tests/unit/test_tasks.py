"""How tasks that go on for ever are ended."""

import asyncio
from contextlib import suppress

from runtime import tasks


async def test_a_task_that_swallows_its_cancellation_is_ended_all_the_same() -> None:
    """As `wait_for` does in Python 3.11 when what it waits for is there at the same time."""

    async def work() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = asyncio.create_task(work())
    async with asyncio.timeout(10):
        await tasks.ended(task, within=0.01)
    assert task.cancelled()
