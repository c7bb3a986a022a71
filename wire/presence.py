"""Who is in a room, at which gateways: what gateways tell each other of it. Nobody keeps it (see DESIGN 4).

Each gateway speaks for its own users in a room alone, under an id of its own that is new whenever it starts, and
numbers what it says of a room: `version` rises by one with every change, so that whoever missed one knows, and asks.
"""

from typing import Annotated

from msgspec import Meta

from wire.ids import Id
from wire.messages import Author, Message

Version = Annotated[int, Meta(ge=0)]
"""Of what one gateway says of one room; 0: it has not said anything yet."""


class PresenceChanged(Message, frozen=True, tag="presence.changed"):
    """Some users came into the room at `gateway`, and some have none of their sockets there any more."""

    gateway: Id
    version: Version
    """After this change."""
    online: tuple[Author, ...] = ()
    offline: tuple[Id, ...] = ()


class PresenceStands(Message, frozen=True, tag="presence.stands"):
    """What `gateway` says of the room is still at `version`: said now and then, for those who missed something."""

    gateway: Id
    version: Version


class PresenceAsked(Message, frozen=True, tag="presence.asked"):
    """`gateway` wants to know who is there at `of`, or at all others. Answered by `PresenceSnapshot`s."""

    gateway: Id
    of: Id | None = None


class PresenceSnapshot(Message, frozen=True, tag="presence.snapshot"):
    """All users of `gateway` who are in the room at `version`, in `parts` that each fit into a NATS message."""

    room: Id
    gateway: Id
    version: Version
    members: list[Author]
    part: Annotated[int, Meta(ge=0)] = 0
    parts: Annotated[int, Meta(ge=1)] = 1


class Heartbeat(Message, frozen=True, tag="presence.heartbeat"):
    """`gateway` lives: what it has said of its rooms holds."""

    gateway: Id


class Farewell(Message, frozen=True, tag="presence.farewell"):
    """`gateway` ends: nobody is there any more."""

    gateway: Id
