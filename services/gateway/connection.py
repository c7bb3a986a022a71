"""One client's connection, as everything above the edge sees it."""

import time
from typing import Final

from services.gateway.edge.session import Session
from services.gateway.recovery.kept_session import Kept
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError

EVENTS_AT_ONCE: Final = 64
"""Events of one connection under way at once; no other is read until one is done."""


class Connection:
    """Made once the client's token was verified."""

    __slots__ = (
        "alarms",
        "asked",
        "bearer",
        "buckets",
        "events",
        "has_ended",
        "has_left",
        "id",
        "kept",
        "refused",
        "rooms",
        "session",
        "since",
        "trace",
        "warn_at",
        "why",
    )

    def __init__(self, id: str, bearer: Verified, session: Session, *, trace: int = 0) -> None:
        self.id: Final = id
        """Unique among all connections of all gateways."""
        self.bearer = bearer
        """Whose token let it in, or has lengthened its life since."""
        self.session: Final = session
        self.rooms: Final[set[str]] = set()
        self.kept: Kept | None = None
        """What its client can get back, if it opted in."""
        self.has_left = False
        """Its client has disconnected by its own will, and does not come back to it."""
        self.has_ended = False
        """It is over, although its session may go on: for a moment, or with a connection that was made after it."""
        self.buckets: list[float] | None = None
        """See `meter.Allowance`; None until it does something."""
        self.events = 0
        """Under way."""
        self.warn_at = 0.0
        """When its client is told that it will end, seconds since the epoch; infinite once that is done."""
        self.alarms = 0
        """How often `Lifetimes` will look at it."""
        self.since: Final = time.time()
        self.trace: Final = trace
        """The id of the trace in which it was let in."""
        self.asked = 0
        """Events that its client has sent."""
        self.refused = 0
        """Those of them that were refused, or failed."""
        self.why = ""
        """Why it ends, where the reason of its session does not say it."""

    @property
    def is_open(self) -> bool:
        """Whether its client can be reached."""
        return not (self.has_ended or self.session.closed)

    @property
    def may_be_told(self) -> bool:
        """Whether it gets what is for its user: not once its client has left, or was told to go."""
        return self.is_open and not self.has_left

    def check_open(self) -> None:
        """Raises `ParleyError` (not_joined) if nobody is there to be let in, or told anything."""
        if not self.is_open:
            raise ParleyError(ErrorCode.NOT_JOINED, "the connection is closed")

    @property
    def expires_in(self) -> int:
        """Seconds until its token expires."""
        return max(0, self.bearer.expires_at - int(time.time()))

    def event_began(self) -> None:
        """One more event is under way; the client waits when there are `EVENTS_AT_ONCE`."""
        self.events += 1
        if self.events == EVENTS_AT_ONCE:
            self.session.hold()

    def event_ended(self) -> None:
        """One is done."""
        self.events -= 1
        if self.events == EVENTS_AT_ONCE - 1 and not self.session.closed:
            self.session.release()
