"""A session that its client can get back: that of one connection, while the connection lasts."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from services.gateway.recovery.places import ROOMS_MOST, Places
from wire.kept_sessions import KeptSession

_PID_BYTES: Final = 18


class Kept:
    """Which rooms the connection is in, what its client has of them, and what of that the bucket knows.

    `pid` is secret: who knows it, and is the same user, can take the session over.
    """

    __slots__ = (
        "changes",
        "given_up",
        "holder",
        "lock",
        "over",
        "pid",
        "places",
        "restoring",
        "revision",
        "stored",
        "user",
    )

    def __init__(
        self, holder: str, user: str, *, pid: str = "", places: Places | None = None, revision: int = 0
    ) -> None:
        self.pid: Final = pid or secrets.token_urlsafe(_PID_BYTES)
        self.holder: Final = holder
        self.user: Final = user
        self.places: Final = places or Places({})
        self.revision = revision
        """In the bucket; 0: it is not there."""
        self.changes = 0 if places is None else 1
        """Rises with each change of the rooms, and when the record has to be put for its age; 0: never had a room."""
        self.stored = 0
        """How many of those the bucket knows."""
        self.lock: Final = asyncio.Lock()
        """Held while it is put."""
        self.given_up = False
        """It had too many rooms; it is not in the bucket, and never again will be."""
        self.restoring = False
        """Whether it is being put again after a leave that failed."""
        self.over = False
        """The connection has ended: the rooms that it leaves are still the session's."""

    def enter(self, room: str, last_seq: int) -> None:
        """The connection gets what comes in `room` after `last_seq`."""
        if room not in self.places.rooms:
            self.places.enter(room, last_seq)
            self.changes += 1

    @contextmanager
    def leaving(self, room: str) -> Iterator[None]:
        """See `Places.leaving`; not before the bucket knows, may the connection leave."""
        if room in self.places.rooms:
            self.changes += 1
        with self.places.leaving(room):
            yield

    def leave(self, room: str) -> None:
        """It gets nothing more of `room`."""
        if not self.over:
            self.places.leave(room)

    def offset(self, room: str, seq: int) -> bytes | None:
        """The offset of message `seq` of `room`, which is sent next: see `with_offset`."""
        return None if self.given_up else self.places.offset(room, seq).encode()

    @property
    def record(self) -> KeptSession | None:
        """What the bucket ought to hold; None if the client has more rooms than can be kept."""
        rooms = self.places.lasting
        return None if len(rooms) > ROOMS_MOST else KeptSession(user=self.user, holder=self.holder, rooms=rooms)


def with_offset(packet: bytes, offset: bytes | None) -> bytes:
    """The packet of a message with its offset, if it has one, as one more argument."""
    return packet if offset is None else b'%b,"%b"]' % (packet[:-1], offset)
