"""How often one socket may do something. What is too often is refused, and was not done; the connection lives on.

Refusing costs, too: it counts as several frames, so that a socket that goes on regardless is soon read more slowly.
"""

import math
import time
from collections.abc import Mapping
from typing import Final

from services.gateway.connection import Connection
from services.gateway.edge import metrics
from services.gateway.edge.rates import Rate
from wire.errors import ErrorCode, ParleyError

_REFUSAL_FRAMES: Final = 4

_WORDS: Final[Mapping[str, str]] = {
    "join": "joins and leaves",
    "presence": "questions for who is there",
    "history": "pages of history",
    "read": "read markers",
    "refresh": "refreshes",
    "dismiss": "notifications dismissed",
    "mistake": "events that are none",
    "message": "messages",
    "event": "events",
    "typing": "typing events",
}


class Allowance:
    """One thing that a socket may do so often; of the `count` buckets of a connection, its is the one at `number`."""

    __slots__ = ("_count", "_counter", "_number", "_rate", "_text")

    def __init__(self, name: str, rate: Rate, number: int, count: int) -> None:
        self._rate = rate
        self._number = number
        self._count = count
        self._text = f"too many {_WORDS[name]}"
        self._counter = metrics.limited.labels(limit=name)

    def take(self, connection: Connection) -> None:
        """Once more. Raises `ParleyError` (rate_limited) if it is too often, with the time until it is not."""
        now = time.monotonic()
        buckets = connection.buckets
        if buckets is None:
            buckets = connection.buckets = [0.0] * self._count
        bucket = self._rate.take(buckets[self._number], now)
        if bucket is None:
            self._counter.inc()
            connection.session.owner.pace.took(connection.session, _REFUSAL_FRAMES)
            seconds = math.ceil(self._rate.wait(buckets[self._number], now) * 1000) / 1000
            raise ParleyError(ErrorCode.RATE_LIMITED, self._text, retry_after=seconds)
        buckets[self._number] = bucket


def allowances(rates: Mapping[str, tuple[float, int]]) -> dict[str, Allowance]:
    """By name, those of `rates` (so many a second, so many at once) that have a limit."""
    found: dict[str, Allowance] = {}
    for number, (name, (per_second, burst)) in enumerate(rates.items()):
        rate = Rate.of(per_second, burst)
        if rate is not None:
            found[name] = Allowance(name, rate, number, len(rates))
    return found
