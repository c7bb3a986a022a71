"""Waiting in a greenlet, with a deadline."""

import time
from collections.abc import Callable
from typing import Final

import gevent

_POLL_SECONDS: Final = 0.05


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until `condition` holds, at most so long; returns whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        gevent.sleep(_POLL_SECONDS)
    return True
