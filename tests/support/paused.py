"""A process that stands still, as one on a host that is overcommitted."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.process import Child
from tests.support.waiting import until


@asynccontextmanager
async def paused(child: Child) -> AsyncIterator[None]:
    """No thread of `child` runs while the block does; on a busy machine some would for a moment after SIGSTOP."""
    child.send_signal(signal.SIGSTOP)
    try:
        await until(lambda: _stands_still(child.pid), f"{child.name} to stand still")
        yield
    finally:
        child.send_signal(signal.SIGCONT)


def _stands_still(pid: int) -> bool:
    # Elsewhere than on Linux there is nothing to look at.
    states = [each.read_text().rpartition(")")[2].split()[0] for each in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(state == "T" for state in states)
