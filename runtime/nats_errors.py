"""Taking note of what goes wrong on the connection to NATS, however often it does."""

import time
from typing import Final

import structlog
from nats.errors import SlowConsumerError

from runtime import metrics

_SAME_ERROR_SECONDS: Final = 10.0
_UNKNOWN_USER: Final = "authorization violation"
_FORBIDDEN: Final = "permissions violation"
"""In nats-server's words; nats-py reports both as plain errors."""
_FORBIDS: Final = "nats forbids it: is NATS_NKEY_FILE another service's, or nats-permissions.conf of another release?"

KINDS: Final = frozenset(
    {
        "AuthorizationViolation",
        "ConnectionClosedError",
        "ConnectionRefusedError",
        "ConnectionResetError",
        "Error",
        "NoServersError",
        "OSError",
        "PermissionsViolation",
        "ProtocolError",
        "SSLCertVerificationError",
        "SlowConsumerError",
        "StaleConnectionError",
        "TimeoutError",
        "UnexpectedEOF",
        "callback",
        "gaierror",
    }
)
"""What is counted by itself; whatever else a library may raise is `other`."""

for _kind in (*KINDS, "other"):
    metrics.nats_errors.labels(kind=_kind)  # there from the start, at 0

log = structlog.get_logger()


class NatsErrors:
    """Counts every error; logs those of one kind once in a while, for an outage brings one each half second."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses
        self._logged_at: dict[str, float] = {}

    async def add(self, error: Exception) -> None:
        """Take note of what nats-py reports; never raises."""
        if isinstance(error, SlowConsumerError):
            metrics.nats_slow_consumers.inc()
        text = str(error)
        if _UNKNOWN_USER in text.lower():
            if self._is_news("AuthorizationViolation"):
                log.error("nats refuses who we are, trying on: see NATS_NKEY_FILE", servers=self._addresses)
        elif _FORBIDDEN in text.lower():
            if self._is_news("PermissionsViolation"):
                log.error(_FORBIDS, detail=text)
        elif self._is_news(type(error).__name__):
            log.warning("nats error", error=type(error).__name__, detail=text, servers=self._addresses)

    def note(self, error: Exception) -> None:
        """Take note of what a callback raised: a defect of ours, or a message that nats-py cannot read."""
        if self._is_news(type(error).__name__, counted="callback"):
            log.error("nats message not handled", exc_info=error)

    def _is_news(self, kind: str, *, counted: str = "") -> bool:
        metrics.nats_errors.labels(kind=counted or (kind if kind in KINDS else "other")).inc()
        now = time.monotonic()
        if now - self._logged_at.get(kind, -_SAME_ERROR_SECONDS) < _SAME_ERROR_SECONDS:
            return False
        self._logged_at[kind] = now
        return True
