"""Frames that the fan-out has not written yet, so that those for the same clients leave in one write (ADR 8)."""

from typing import Final, NamedTuple


class Waiting(NamedTuple):
    """A frame until the fan-out's next turn, or until the window of a busy room ends; sorts by `order`."""

    order: int
    """Rises with everything that is handed to the fan-out, whoever it is for."""
    frame: bytes
    skip: str | None = None
    """The id of the one connection in the room that does not get it."""
    is_message: bool = False
    """Those in the room who can get their session back have it as a frame of their own."""


class Aside:
    """What a connection is sent beside what everybody in its rooms is, and up to where it has had that."""

    __slots__ = ("own", "upto")

    def __init__(self, upto: int = 0) -> None:
        self.own: list[Waiting] = []
        self.upto: Final = upto


def joined(waiting: list[Waiting]) -> bytes:
    """All of their frames, for one write."""
    return waiting[0].frame if len(waiting) == 1 else b"".join([each.frame for each in waiting])
