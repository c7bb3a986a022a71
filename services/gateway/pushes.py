"""What clients are told unasked: one Struct per event, beside `wire.messages.StoredMessage`, which is `message`."""

from typing import Final

import msgspec
from msgspec import Raw

from wire.messages import User

_encode: Final = msgspec.json.encode


class SessionStarted(msgspec.Struct, frozen=True):
    """`session`: once, right after connect."""

    user: User
    session: str
    gateway: str
    expires_in: int


class Expiring(msgspec.Struct, frozen=True):
    """`expiring`: the connection ends in so many seconds, unless the client refreshes it."""

    expires_in: int


class Removed(msgspec.Struct, frozen=True):
    """`removed`: the user is no member of the room any more."""

    room: str
    reason: str
    """removed, left (on another device) or deleted."""


class Draining(msgspec.Struct, frozen=True):
    """`draining`: this gateway is about to end; the connection will be closed, and can be made again elsewhere."""


class TypingShown(msgspec.Struct, frozen=True):
    """`typing`: somebody in the room types, or ceased to."""

    room: str
    user: str
    active: bool


class EventShown(msgspec.Struct, frozen=True):
    """`event`: an application's own event."""

    room: str
    name: str
    data: Raw
    user: str


def event(name: str, payload: msgspec.Struct) -> bytes:
    """The Socket.IO packet of an event."""
    return b'2["%b",%b]' % (name.encode(), _encode(payload))
