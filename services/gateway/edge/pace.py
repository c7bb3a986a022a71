"""What one client may send for long, whatever is in it: whoever sends more is read more slowly.

Nothing is refused or lost: what is not read waits in the socket, and the client's own system makes it wait in turn.
"""

import asyncio
import time
from typing import TYPE_CHECKING, Final

from services.gateway.edge import metrics
from services.gateway.edge.limits import Limits
from services.gateway.edge.rates import Rate

if TYPE_CHECKING:
    from services.gateway.edge.session import Session

_BURST_SECONDS: Final = 8
"""A client that comes back sends at once what its user did meanwhile."""
_SHORTEST: Final = 0.2
_LONGEST: Final = 20.0
"""Seconds for which a socket is not read: a timer for each frame would cost more than the frame, and a client that
has gone is not noticed meanwhile."""


class Pace:
    """By one rate for each session."""

    def __init__(self, limits: Limits) -> None:
        self._rate = Rate.of(limits.frames_per_second, int(limits.frames_per_second * _BURST_SECONDS))
        self._counter = metrics.limited.labels(limit="frames")

    def took(self, session: "Session", frames: int) -> None:
        """So many came in one read, or something came that costs as much as so many."""
        rate = self._rate
        if rate is None:
            return
        now = time.monotonic()
        bucket = max(session.bucket, now) + frames * rate.interval
        if bucket - now > rate.tolerance:
            bucket = min(bucket, now + rate.tolerance + _LONGEST)
            if not session.closed:
                self._counter.inc()
                session.hold()
                delay = max(bucket - now - rate.tolerance, _SHORTEST)
                asyncio.get_running_loop().call_later(delay, _go_on, session)
        session.bucket = bucket


def _go_on(session: "Session") -> None:
    if not session.closed:
        session.release()
