"""What clients are answered: one acknowledgement for each event."""

import msgspec

from wire.errors import ErrorCode, ParleyError
from wire.messages import Author, StoredMessage


class Done(msgspec.Struct, frozen=True):
    """`{ok: true}`; the base of every good acknowledgement."""

    ok: bool = True


class Joined(Done, frozen=True, kw_only=True):
    """`seq`: the room's last; `missed`: how many were delivered just now; `truncated`: there were more."""

    room: str
    seq: int
    missed: int
    truncated: bool


class Sent(Done, frozen=True, kw_only=True):
    """Stored. `duplicate`: it was stored before, and these are its seq and ts."""

    seq: int
    ts: int
    duplicate: bool


class MarkedRead(Done, frozen=True, kw_only=True):
    """`seq`: up to where the user has read the room now, on whichever device."""

    seq: int


class Refreshed(Done, frozen=True, kw_only=True):
    """`expires_in`: seconds until the connection ends, unless it is refreshed again."""

    expires_in: int


class HistoryPage(Done, frozen=True, kw_only=True):
    """Messages in seq order; `more`: there are others beyond."""

    messages: list[StoredMessage]
    more: bool


class Present(Done, frozen=True, kw_only=True):
    """Who is in the room: at most 1,000 of the `count` who are."""

    members: list[Author]
    count: int


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong."""

    code: ErrorCode
    message: str
    retry_after: float | None = None


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """`{ok: false, error}`."""

    ok: bool = False
    error: Problem

    @classmethod
    def of(cls, error: ParleyError) -> "Failed":
        """The acknowledgement that tells of `error`."""
        return cls(error=Problem(error.code, error.message, error.retry_after))
