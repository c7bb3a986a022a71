"""What is kept of a client's session, so that any gateway can give it back: one record in a key-value bucket each."""

import msgspec

from wire.ids import Id
from wire.messages import Message, Seq


class KeptRoom(msgspec.Struct, frozen=True):
    """A room that the client is in."""

    key: str
    """Stands for the room in offsets; random, so that an offset of another session says nothing of this one."""
    since: Seq
    """The client has, or has no claim to, everything up to there; offsets tell of what it got above it."""


class KeptSession(Message, frozen=True, tag="session.kept"):
    """Whose session it is, which connection has it, and its rooms by name."""

    user: Id
    holder: str
    """The id of the connection."""
    rooms: dict[Id, KeptRoom]
