"""Error codes that clients and services see, and the exception that carries one.

ParleyError
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Every code a client can meet, in an acknowledgement, a refused connection or an HTTP problem."""

    UNAUTHORIZED = "unauthorized"
    EXPIRED = "expired"
    FORBIDDEN = "forbidden"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    NOT_JOINED = "not_joined"
    UNAVAILABLE = "unavailable"
    """The outcome is unknown: send again, with the same id."""
    INTERNAL = "internal"


class ParleyError(Exception):
    """An expected failure, to be answered to whoever asked.

    `message` is shown to users; it never carries a secret or an internal detail. `retry_after` is in seconds.
    """

    def __init__(self, code: ErrorCode, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after
