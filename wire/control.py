"""What every gateway has to hear, and a gateway that was cut off has to read up: who may not be here any more.

The auth service publishes these into the stream CONTROL (see `wire.streams`) once MongoDB has what they say. A reader
applies them in the order of the stream; applying one twice changes nothing.
"""

from typing import Annotated, Literal

from msgspec import Meta

from wire.ids import Id
from wire.messages import Message, Millis


class SessionRevoked(Message, frozen=True, tag="control.session"):
    """No token of this session is good any more."""

    session: Id
    user: Id
    until: Annotated[int, Meta(ge=0)]
    """Seconds since the epoch: none of them could be good after that anyway."""


class UserRevoked(Message, frozen=True, tag="control.user"):
    """No token of this user that was issued up to `before` is good any more."""

    user: Id
    before: Millis


class MembersChanged(Message, frozen=True, tag="control.room"):
    """Who has become a member of a private room, and who is none any more, and why."""

    room: Id
    added: tuple[Id, ...] = ()
    removed: tuple[Id, ...] = ()
    reason: Literal["removed", "left", "deleted"] | None = None
    """Of those removed."""


Control = SessionRevoked | UserRevoked | MembersChanged
