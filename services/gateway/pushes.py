"""What clients are told unasked: one Struct per event, beside `wire.messages.StoredMessage`, which is `message`."""

from typing import Final

import msgspec
from msgspec import Raw

from wire.messages import JSON_ABSENT, User
from wire.notifications import Notification

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


class Added(msgspec.Struct, frozen=True):
    """`added`: the user has become a member of a private room."""

    room: str


class Removed(msgspec.Struct, frozen=True):
    """`removed`: the user is no member of the room any more, whether the connection was in it or not."""

    room: str
    reason: str
    """removed, left (on another device) or deleted."""


class ReadShown(msgspec.Struct, frozen=True):
    """`read`: the user has read the room up to there, on another device."""

    room: str
    seq: int


class NotificationShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """`notification`: what a backend tells the user."""

    id: str
    title: str
    ts: int
    body: str | None = None
    data: Raw = JSON_ABSENT

    @classmethod
    def of(cls, notification: Notification) -> "NotificationShown":
        """What is shown of it."""
        return cls(notification.id, notification.title, notification.ts, notification.body, notification.data)


class DismissedShown(msgspec.Struct, frozen=True):
    """`dismissed`: the user has read a notification, on another device."""

    id: str


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


class PresenceShown(msgspec.Struct, frozen=True):
    """`presence`: somebody is in the room now, or has none of their sockets there any more."""

    room: str
    user: str
    display_name: str
    state: str
    """online or offline."""


class PresenceChange(msgspec.Struct, frozen=True):
    """One of those in a `RoomPresence`."""

    user: str
    display_name: str
    state: str


class RoomPresence(msgspec.Struct, frozen=True):
    """`presence`: what has changed in a large room, once a second at most; `count` are there by now.

    `truncated`: so much that it is not listed; whoever wants to know asks.
    """

    room: str
    count: int
    changes: list[PresenceChange]
    truncated: bool


def event(name: str, payload: msgspec.Struct) -> bytes:
    """The Socket.IO packet of an event."""
    return b'2["%b",%b]' % (name.encode(), _encode(payload))
