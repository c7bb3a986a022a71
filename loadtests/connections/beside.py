"""What else works on this machine while an own stack is measured: CPU and memory of its proxies and servers."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from loadtests.facts import Process, Usage
from loadtests.generator import host

_EVERY_SECONDS: Final = 1.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def watched(pids: Mapping[str, int]) -> AsyncIterator[list[Process]]:
    """While the block runs; gives what was seen, which can be read then and afterwards. Needs /proc.

    A process that has ended leaves a gap, and so does one that was started again.
    """
    found = [Process(name, host()) for name in pids]
    task = asyncio.create_task(_watch(found, list(pids.values())))
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _watch(found: list[Process], pids: list[int]) -> None:
    before: dict[int, tuple[float, float]] = {}
    while True:
        for process, pid in zip(found, pids, strict=True):
            try:
                cpu, memory = _used(pid)
            except (OSError, ValueError, IndexError):
                before.pop(pid, None)
                continue
            now = time.monotonic()
            if pid in before:
                passed = now - before[pid][0]
                percent = round(100 * (cpu - before[pid][1]) / passed, 1)
                process.usage.append(Usage(int(time.time() - passed / 2), percent, memory))
            before[pid] = (now, cpu)
        await asyncio.sleep(_EVERY_SECONDS)


def _used(pid: int) -> tuple[float, int]:
    """CPU seconds of all threads so far, and bytes resident."""
    # The name stands in parentheses, and may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS, int(fields[21]) * _PAGE
