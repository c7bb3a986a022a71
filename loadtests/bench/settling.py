"""When a server has nothing left to do."""

import asyncio
import time
from typing import Final

from loadtests.bench.machine import cpu_ns
from loadtests.bench.measuring import Bench

_STEP_SECONDS: Final = 0.1
_QUIET_STEPS: Final = 3
_QUIET_NS: Final = 6_000_000
"""In one step, 6 % of a core: heartbeats and pings go on."""
_MOST_SECONDS: Final = 120.0


async def settled(bench: Bench) -> None:
    """Wait until the server rests, for two minutes at most."""
    server = [bench.target.server()]
    deadline = time.perf_counter() + _MOST_SECONDS
    quiet, last = 0, cpu_ns(server)
    while quiet < _QUIET_STEPS and time.perf_counter() < deadline:
        await asyncio.sleep(_STEP_SECONDS)
        now = cpu_ns(server)
        quiet = quiet + 1 if now - last < _QUIET_NS else 0
        last = now
