"""Why something is unavailable: the callers are told that it is, and an operator has to know the reason."""

import time
from typing import Final

import structlog

from wire.errors import ParleyError

_SAME_SECONDS: Final = 10.0

log = structlog.get_logger()


class Outages:
    """Logs the reasons of one kind once in a while: an outage brings one for each request."""

    def __init__(self) -> None:
        self._logged_at: dict[str, float] = {}

    def note(self, error: ParleyError) -> None:
        """`error` is about to be told; its cause is named, if it has one."""
        cause = error.__cause__
        kind = type(cause).__name__
        now = time.monotonic()
        if cause is not None and now - self._logged_at.get(kind, -_SAME_SECONDS) >= _SAME_SECONDS:
            self._logged_at[kind] = now
            log.warning(error.message, error=kind, code=error.code)
