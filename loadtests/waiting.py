"""Waiting in a greenlet: with a deadline, or for the next second."""

import math
import time
from collections.abc import Callable
from typing import Final

import gevent

_POLL_SECONDS: Final = 0.05
_JUST_SECONDS: Final = 0.05
"""What began so lately has just begun: whoever slept until then is back no sooner."""


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until `condition` holds, at most so long; returns whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        gevent.sleep(_POLL_SECONDS)
    return True


def whole(now: float) -> float:
    """The second of the epoch that has just begun, or else the next."""
    return float(math.floor(now) if now - math.floor(now) < _JUST_SECONDS else math.ceil(now))


def second(*, is_whole: bool) -> float:
    """Now, in seconds of the epoch; of a second that has just begun, its beginning.

    `is_whole`: nothing else will do, so it waits for the next, if none has just begun.
    """
    now = time.time()
    edge = whole(now)
    if edge > now and not is_whole:
        return now
    while (left := edge - time.time()) > 0:
        gevent.sleep(left)
    return edge
