"""How late the event loop is: whatever holds it up for a while holds up everybody whom this process serves."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from runtime import metrics

_LOOK_SECONDS: Final = 0.1


@contextmanager
def measured() -> Iterator[None]:
    """Within it, a timer comes ten times a second, and by how much it is late is counted."""
    look = _Look()
    try:
        yield
    finally:
        look.timer.cancel()


class _Look:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lag = metrics.event_loop_lag[()]
        self._set()

    def _set(self) -> None:
        self._due = time.monotonic() + _LOOK_SECONDS
        self.timer = self._loop.call_later(_LOOK_SECONDS, self._look)

    def _look(self) -> None:
        # Below a millisecond it may be early: uvloop's clock has no smaller steps.
        self._lag.observe(max(0.0, time.monotonic() - self._due))
        self._set()
