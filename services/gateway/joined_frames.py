"""Packets that the fan-out has not written yet, so that those for the same clients leave in one write (ADR 8)."""

from typing import Final, NamedTuple

from services.gateway.edge import frames
from services.gateway.edge.newest import Key
from services.gateway.recovery.kept_session import with_offset


class Waiting(NamedTuple):
    """A packet until the fan-out's next turn, or until the window of a busy room ends; sorts by `order`.

    However many clients get it, and whatever the offset of each, it is there once.
    """

    order: int
    """Rises with everything that is handed to the fan-out, whoever it is for."""
    packet: bytes
    skip: str | None = None
    """The id of the one connection in the room that does not get it."""
    is_message: bool = False
    """Those in the room who can get their session back have it aside, with an offset of their own."""
    offset: bytes | None = None
    key: Key | None = None
    """Whoever is behind gets only the newest of each key, once they have caught up; None: all, in order."""
    stored_at: float = 0.0
    """When the stream stored it, seconds since the epoch; 0: it did not."""

    def is_for(self, id: str, *, is_kept: bool) -> bool:
        """Whether it is for connection `id` in its room, which its client can get back, or cannot."""
        return self.skip != id and not (self.is_message and is_kept)


class Aside:
    """What a connection is sent beside what everybody in its rooms is, and up to where it has had that."""

    __slots__ = ("own", "upto")

    def __init__(self, upto: int = 0) -> None:
        self.own: list[Waiting] = []
        self.upto: Final = upto


def joined(waiting: list[Waiting]) -> bytes:
    """The frames of all of them, for one write."""
    return b"".join([framed(each.packet, each.offset) for each in waiting])


def framed(packet: bytes, offset: bytes | None) -> bytes:
    """The frame of one."""
    return frames.message(with_offset(packet, offset))
