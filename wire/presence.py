"""Who is in a room, at which gateways: what gateways tell each other of it. Nobody keeps it (see DESIGN 4).

Each gateway speaks for its own users in a room alone, under an id of its own that is new whenever it starts, and
numbers what it says of a room: `version` rises by one with every change, so that whoever missed one knows, and asks.
"""

from typing import Annotated, Final

from msgspec import Meta

from wire.ids import Id
from wire.messages import Author, Message

VERSIONS_APART: Final = 1 << 32
"""A gateway numbers what it says of a room from a multiple of this on, a higher one each time it begins to listen to
it: so no version of it is ever of two things. At a multiple nobody is there, and the next is the first change."""
MEMBERS_MOST: Final = 1000
"""In one message, so that it fits into one of NATS, whatever they are called."""

Version = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
"""Of what one gateway says of one room."""
Lasting = Annotated[float, Meta(gt=0, le=1e6)]
"""Seconds."""


def is_nobody(version: int) -> bool:
    """Whether `version` is one at which nobody is there."""
    return version % VERSIONS_APART == 0


def is_first(version: int) -> bool:
    """Whether `version` is a first change, before which nobody was there: whoever hears it knows all."""
    return version % VERSIONS_APART == 1


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
    """`gateway` lives: what it has said of its rooms holds, for `lease` seconds.

    It says `PresenceStands` of each room that it listens to about every `standing` seconds.
    """

    gateway: Id
    lease: Lasting = 8.0
    standing: Lasting = 2.0


class Farewell(Message, frozen=True, tag="presence.farewell"):
    """`gateway` ends: nobody is there any more."""

    gateway: Id
