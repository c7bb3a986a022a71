"""Who may open a session: bounded at once, by address, and by the second.

A storm of clients that come back is let in at a steady rate: who is too early is told so before it has cost much, and
tries again. What is refused takes no place, neither in a table nor among those who come later.
"""

import random
import time
from collections.abc import Mapping
from typing import Final

import structlog

from services.gateway.edge import metrics
from services.gateway.edge.addresses import counted
from services.gateway.edge.counts import Counts
from services.gateway.edge.limits import Limits
from services.gateway.edge.rates import Rate
from services.gateway.edge.responses import Later
from services.gateway.edge.session import Session

_AGAIN_SECONDS: Final = (1.0, 5.0)
"""Different for each, so that those who were refused together do not come back together."""
_FULL_SECONDS: Final = (5.0, 30.0)
_LOG_SECONDS: Final = 60.0

log = structlog.get_logger()


class Gate:
    """Counts `sessions`, which others put there and take away."""

    def __init__(self, limits: Limits, sessions: Mapping[str, Session]) -> None:
        self._limits = limits
        self._sessions = sessions
        self._rate = Rate.of(limits.handshakes_per_second, limits.handshake_burst)
        self._bucket = 0.0
        self.addresses: Final[Counts[str]] = Counts()
        """How many sessions each address has."""
        self._logged: dict[str, float] = {}
        metrics.sessions.set_function(lambda: len(sessions))

    @property
    def is_full(self) -> bool:
        """Whether there are as many sessions as there may be."""
        return 0 < self._limits.sessions_most <= len(self._sessions)

    def turn_away(self, address: str) -> Later | None:
        """Why `address` may not open a session now; None: it may, and is about to.

        An address that has too many does not cost the others a place.
        """
        most = self._limits.sessions_per_address_most
        if most and self.addresses[counted(address)] >= most:
            return self._limited("address", 429, "too many connections from this address", _FULL_SECONDS)
        if self.is_full:
            return self._limited("connections", 503, "this gateway is full", _AGAIN_SECONDS)
        if self._rate is not None:
            bucket = self._rate.take(self._bucket, time.monotonic())
            if bucket is None:
                return self._limited("handshakes", 503, "too many clients connect at once", _AGAIN_SECONDS)
            self._bucket = bucket
        return None

    def opened(self, session: Session) -> None:
        """It is there."""
        if self._limits.sessions_per_address_most:
            self.addresses.add(session.address)

    def ended(self, session: Session) -> None:
        """It is there no more, and the application knows."""
        if self._limits.sessions_per_address_most:
            self.addresses.remove(session.address)

    def _limited(self, limit: str, status: int, message: str, seconds: tuple[float, float]) -> Later:
        metrics.limited.labels(limit=limit).inc()
        now = time.monotonic()
        if now - self._logged.get(limit, -_LOG_SECONDS) >= _LOG_SECONDS:
            # Now and then: a stranger must not fill the disk.
            self._logged[limit] = now
            log.warning("handshakes refused", limit=limit, sessions=len(self._sessions))
        return Later(status, message, random.uniform(*seconds))  # noqa: S311
