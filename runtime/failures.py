"""One line for each request that failed, while they are few: nobody may fill the log with what fails for them."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from wire.errors import ErrorCode

_BURST: Final = 60
_PER_SECOND: Final = 1.0
_LOGGED_ELSEWHERE: Final = frozenset({ErrorCode.RATE_LIMITED, ErrorCode.INTERNAL})
"""What is refused above a limit comes in floods, and is counted; a defect has its own line, with its traceback."""

log = structlog.get_logger()


class Failures:
    """Sixty lines at once and one a second after that, of those that are ours, and as many of those that are not.

    So strangers who are refused do not hide an outage. The next line says how many were left out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock: Final = clock
        self._ours = Allowance(clock())
        self._others = Allowance(clock())

    def note(self, event: str, code: ErrorCode, **more: str | float | None) -> None:
        """A request of the current trace has failed with `code`; `more` are ids and numbers."""
        if code in _LOGGED_ELSEWHERE:
            return
        allowance = self._ours if code is ErrorCode.UNAVAILABLE else self._others
        left_out = allowance.take(self._clock())
        if left_out is not None:
            log.info(event, code=code, **more, **({"left_out": left_out} if left_out else {}))


class Allowance:
    """Of lines: sixty at once, and one a second after that. `now` is seconds, by a clock that never goes back."""

    def __init__(self, now: float) -> None:
        self._left = float(_BURST)
        self._at = now
        self._left_out = 0

    def take(self, now: float) -> int | None:
        """How many were left out before this one; None if this one is, too."""
        self._left = min(_BURST, self._left + (now - self._at) * _PER_SECOND)
        self._at = now
        if self._left < 1:
            self._left_out += 1
            return None
        self._left -= 1
        left_out, self._left_out = self._left_out, 0
        return left_out
