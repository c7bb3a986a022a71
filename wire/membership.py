"""What gateways ask the auth service of private rooms: groups and direct conversations, and who their members are.

Not being a member and there being no such room are refused alike, as `forbidden` with `NOT_A_MEMBER`.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta

from wire.ids import Id
from wire.messages import Author, Message

ROOMS_AT_ONCE: Final = 64
"""Whose membership may be asked for in one request."""
NOT_A_MEMBER: Final = "no such room, or you are not a member of it"
"""What is said then, whichever it is."""
LISTED_MOST: Final = 100
"""Rooms in one answer."""
MEMBERS_LISTED_MOST: Final = 50
"""Of one room, in a list of rooms: an answer has to fit into a NATS message."""


class CheckMember(Message, frozen=True, tag="rooms.check"):
    """Is `user` a member of each of `rooms`, or without one: are they all there? Answered by `Done` or `Refused`."""

    rooms: Annotated[list[Id], Meta(min_length=1, max_length=ROOMS_AT_ONCE)]
    user: Id | None = None


class CreateGroup(Message, frozen=True, tag="rooms.create"):
    """Make a group of `owner` and `members`. Answered by `RoomInfo` or `Refused`."""

    owner: Id
    members: list[Id]
    name: str | None = None


class OpenDirect(Message, frozen=True, tag="rooms.direct"):
    """The conversation of two users, made if it is not there. Answered by `RoomInfo` or `Refused`."""

    user: Id
    other: Id


class AddMember(Message, frozen=True, tag="rooms.add"):
    """Let a member of a group invite somebody, who may be one already. Answered by `Done` or `Refused`."""

    by: Id
    room: Id
    user: Id


class RemoveMember(Message, frozen=True, tag="rooms.remove"):
    """Let the owner of a group remove somebody, or a member leave. Answered by `Done` or `Refused`."""

    by: Id
    room: Id
    user: Id


class RenameGroup(Message, frozen=True, tag="rooms.rename"):
    """Let the owner of a group rename it. Answered by `Done` or `Refused`."""

    by: Id
    room: Id
    name: str


class DeleteGroup(Message, frozen=True, tag="rooms.delete"):
    """Let the owner of a group end it. Answered by `Done` or `Refused`."""

    by: Id
    room: Id


class ListRooms(Message, frozen=True, tag="rooms.list"):
    """The private rooms of `user` whose ids come after `after`, in their order. Answered by `RoomList`."""

    user: Id
    after: str = ""


class GetRoom(Message, frozen=True, tag="rooms.get"):
    """One private room of `user`, with all its members. Answered by `RoomInfo` or `Refused`."""

    user: Id
    room: Id


class RoomInfo(Message, frozen=True, tag="rooms.room"):
    """A private room, as its members see it."""

    room: Id
    kind: Literal["group", "direct"]
    member_count: int
    name: str | None = None
    """Of a group that has one."""
    owner: Id | None = None
    """Of a group."""
    members: list[Author] | None = None
    """None: they are too many for a list."""


class RoomList(Message, frozen=True, tag="rooms.rooms"):
    """Some of a user's private rooms. `more`: there are others behind the last of them."""

    rooms: list[RoomInfo]
    more: bool
