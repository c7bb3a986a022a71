"""What gateways ask the history service of reading: how far a user has read a room, and how much they have not."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from wire.ids import Id
from wire.messages import Message, Seq

UNREAD_MOST: Final = 100
"""Nobody counts further: so many stands for "so many or more"."""
COUNTED_AT_ONCE: Final = 100
"""Rooms in one question."""


class MarkRead(Message, frozen=True, tag="history.mark_read"):
    """`user` has read `room` up to `seq`. Answered by `ReadMarker` or `Refused`.

    A marker only ever rises, and never above the last message of the room.
    """

    user: Id
    room: Id
    seq: Seq


class ReadMarker(Message, frozen=True, tag="history.read_marker"):
    """Up to where the user has read the room now. `moved`: it was further back before."""

    seq: Seq
    moved: bool


class CountUnread(Message, frozen=True, tag="history.count_unread"):
    """How much of each of `rooms` has `user` not read? Answered by `Unread` or `Refused`."""

    user: Id
    rooms: Annotated[list[Id], Meta(min_length=1, max_length=COUNTED_AT_ONCE)]


class RoomStanding(msgspec.Struct, frozen=True):
    """Where a user stands in a room."""

    room: Id
    seq: Seq
    """Of the room's last message."""
    read: Seq
    """Up to where the user has read it; 0: they have never said so."""
    unread: Annotated[int, Meta(ge=0, le=UNREAD_MOST)]
    """Messages of others above that."""


class Unread(Message, frozen=True, tag="history.unread"):
    """One for each room that was asked about, in that order."""

    rooms: list[RoomStanding]


class ReadMoved(Message, frozen=True, tag="read"):
    """Live, to all devices of a user: they have read `room` up to `seq`."""

    room: Id
    seq: Seq
    origin: str
    """The socket it came from, which does not hear it."""
