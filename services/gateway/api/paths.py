"""What the paths of routes name."""

import msgspec

from wire.ids import Id


class OfRoom(msgspec.Struct, frozen=True):
    """`{room}`."""

    room: Id


class OfUser(msgspec.Struct, frozen=True):
    """`{user}`."""

    user: Id


class OfMember(OfRoom, frozen=True):
    """`{room}` and `{user}`."""

    user: Id
