"""What can be wrong, by name."""

from enum import StrEnum
from typing import Final

import msgspec

HISTORY: Final = "(history)"
ACKNOWLEDGEMENT: Final = "(acknowledgement)"


class Kind(StrEnum):
    """What can be wrong."""

    LOST_HEAD = "lost head"
    """Owed, and older than all that came in this stay: resuming lost it."""
    LOST_MIDDLE = "lost middle"
    """Owed, and both older and newer ones came."""
    LOST_TAIL = "lost tail"
    """Owed, and nothing newer came."""
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out of order"
    HOLE = "hole"
    """`prev` is not the message that this reader received before."""
    MISPLACED = "misplaced"
    """Seen, or acknowledged again, at another seq than it was first acknowledged at."""
    UNKNOWN = "unknown"
    """Nobody sent it to this room, or its sender was told that it is not stored."""
    NOT_A_MEMBER = "not a member"
    """It came to somebody who is not in the room."""


LOST: Final = (Kind.LOST_HEAD, Kind.LOST_MIDDLE, Kind.LOST_TAIL)


class Violation(msgspec.Struct, frozen=True):
    """One broken promise. The reader is a user, or `HISTORY`, or `ACKNOWLEDGEMENT`."""

    kind: Kind
    reader: str
    room: str
    seq: int
    id: str
