"""How often one user may ask over HTTP, on however many connections."""

import math
import time
from typing import Final

from services.gateway.edge import metrics
from services.gateway.edge.rates import Rate
from wire.errors import ErrorCode, ParleyError

_FORGET_EVERY: Final = 1024
"""After so many users those are looked for whose buckets are empty again."""


class UserRate:
    """`per_second`, and `burst` at once after a pause; 0 a second: no limit."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._rate = Rate.of(per_second, burst)
        self._buckets: dict[str, float] = {}
        self._forget_at = _FORGET_EVERY

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, user: str) -> None:
        """One more request of `user`. Raises `ParleyError` (rate_limited), with the time until it would be taken."""
        if self._rate is None:
            return
        now = time.monotonic()
        before = self._buckets.get(user, 0.0)
        bucket = self._rate.take(before, now)
        if bucket is None:
            metrics.limited.labels(limit="api").inc()
            seconds = math.ceil(self._rate.wait(before, now) * 1000) / 1000
            raise ParleyError(ErrorCode.RATE_LIMITED, "too many requests of this user", retry_after=seconds)
        self._buckets[user] = bucket
        if len(self._buckets) >= self._forget_at:
            self._buckets = {user: bucket for user, bucket in self._buckets.items() if bucket > now}
            self._forget_at = 2 * len(self._buckets) + _FORGET_EVERY
