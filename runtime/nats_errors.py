"""Taking note of what goes wrong on the connection to NATS, however often it does."""

import time
from typing import Final

import structlog

from runtime import metrics

_SAME_ERROR_SECONDS: Final = 10.0

log = structlog.get_logger()


class NatsErrors:
    """Counts every error; logs those of one type once in a while, for an outage brings one each half second."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses
        self._logged_at: dict[str, float] = {}

    async def add(self, error: Exception) -> None:
        """Take note of what nats-py reports; never raises."""
        if self._is_news(error):
            log.warning("nats error", error=type(error).__name__, detail=str(error), servers=self._addresses)

    def note(self, error: Exception) -> None:
        """Take note of what a callback raised: a defect of ours, or a message that nats-py cannot read."""
        if self._is_news(error):
            log.error("nats message not handled", exc_info=error)

    def _is_news(self, error: Exception) -> bool:
        kind = type(error).__name__
        metrics.nats_errors.labels(kind=kind).inc()
        now = time.monotonic()
        if now - self._logged_at.get(kind, -_SAME_ERROR_SECONDS) < _SAME_ERROR_SECONDS:
            return False
        self._logged_at[kind] = now
        return True
