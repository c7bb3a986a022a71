"""The rules of private rooms: who may change what of a group, and what a room is after that. No I/O.

A room says itself which of its changes the gateways may not have heard of yet: whoever has stored one can die before
it is told, and then somebody else tells it.
"""

import hashlib
import secrets
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from services.auth import names
from wire.control import MembersChanged
from wire.errors import ErrorCode, ParleyError

Why = Literal["added", "removed", "left", "deleted"]

_ID_BYTES: Final = 16


class Member(msgspec.Struct, frozen=True):
    """Who is in a room, and since when, in ms since the epoch."""

    id: str
    since: int


class Unannounced(msgspec.Struct, frozen=True):
    """The last that happened to a user in a room, at `revision`, while not all gateways may have heard of it."""

    id: str
    why: Why
    revision: int


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A private room. One without members is over, and goes once that is announced."""

    id: str
    kind: Literal["group", "direct"]
    members: tuple[Member, ...]
    """Those of longest standing first."""
    name: str | None = None
    owner: str | None = None
    """Of a group: one of its members, and of one that is over, its last."""
    revision: int = 1
    """Rises with each change."""
    unannounced: tuple[Unannounced, ...] = ()

    def has(self, user: str) -> bool:
        """Whether `user` is a member."""
        return any(each.id == user for each in self.members)


def new_group(owner: str, members: Iterable[str], name: str | None, *, now: int, most: int) -> Room:
    """A group of `owner` and `members`, each once. Raises `ParleyError` (invalid)."""
    users = list(dict.fromkeys([owner, *members]))
    _check_size(len(users), most)
    shown = None if name is None else names.shown(name, "name")
    id = f"g-{secrets.token_hex(_ID_BYTES)}"
    return _changed(Room(id=id, kind="group", members=_members(users, now), name=shown, owner=owner), users, "added")


def direct(user: str, other: str, *, now: int) -> Room:
    """The conversation of two users, whichever comes first. Raises `ParleyError` (invalid) if they are the same."""
    if user == other:
        raise ParleyError(ErrorCode.INVALID, "a direct conversation is with somebody else")
    users = sorted((user, other))
    id = hashlib.blake2b(" ".join(users).encode(), digest_size=_ID_BYTES).hexdigest()
    return _changed(Room(id=f"d-{id}", kind="direct", members=_members(users, now)), users, "added")


def with_member(room: Room, user: str, *, now: int, most: int) -> Room:
    """After a member has invited `user`; as it was if that is one already. Raises `ParleyError` (invalid)."""
    _check_group(room)
    if room.has(user):
        return room
    _check_size(len(room.members) + 1, most)
    more = msgspec.structs.replace(room, members=(*room.members, Member(user, now)))
    return _changed(more, [user], "added")


def without_member(room: Room, by: str, user: str) -> Room:
    """After `by` has removed `user`, or has left; as it was if that is no member.

    Who owns a group and leaves it, leaves it to the member of longest standing. Raises `ParleyError`: invalid for a
    direct conversation, forbidden for whoever removes somebody else and is not the owner.
    """
    _check_group(room)
    if by != user:
        _check_owner(room, by, "only the owner of a group may remove others")
    if not room.has(user):
        return room
    staying = tuple(each for each in room.members if each.id != user)
    owner = staying[0].id if staying and room.owner == user else room.owner
    fewer = msgspec.structs.replace(room, members=staying, owner=owner)
    return _changed(fewer, [user], "left" if by == user else "removed")


def renamed(room: Room, by: str, name: str) -> Room:
    """With another name. Raises `ParleyError`: invalid, or forbidden for whoever is not the owner."""
    _check_group(room)
    _check_owner(room, by, "only the owner of a group may rename it")
    shown = names.shown(name, "name")
    return room if shown == room.name else _changed(msgspec.structs.replace(room, name=shown))


def ended(room: Room, by: str) -> Room:
    """Without anybody. Raises `ParleyError`: invalid, or forbidden for whoever is not the owner."""
    _check_group(room)
    _check_owner(room, by, "only the owner of a group may delete it")
    return _changed(msgspec.structs.replace(room, members=()), [each.id for each in room.members], "deleted")


def announcements(room: Room) -> list[MembersChanged]:
    """What all gateways have to hear of `room` now."""
    by_why: dict[Why, list[str]] = {}
    for each in sorted(room.unannounced, key=lambda each: each.revision):
        by_why.setdefault(each.why, []).append(each.id)
    return [
        MembersChanged(room=room.id, added=tuple(users))
        if why == "added"
        else MembersChanged(room=room.id, removed=tuple(users), reason=why)
        for why, users in by_why.items()
    ]


def _members(users: Iterable[str], now: int) -> tuple[Member, ...]:
    return tuple(Member(user, now) for user in users)


def _changed(room: Room, users: Iterable[str] = (), why: Why = "added") -> Room:
    """`room` at its next revision, in which `why` happened to `users`; what happened to them before is no news."""
    revision = room.revision + 1
    news = {each.id: each for each in room.unannounced} | {user: Unannounced(user, why, revision) for user in users}
    return msgspec.structs.replace(room, revision=revision, unannounced=tuple(news.values()))


def _check_group(room: Room) -> None:
    if room.kind != "group":
        raise ParleyError(ErrorCode.INVALID, "a direct conversation cannot be changed")


def _check_owner(room: Room, by: str, otherwise: str) -> None:
    if room.owner != by:
        raise ParleyError(ErrorCode.FORBIDDEN, otherwise)


def _check_size(members: int, most: int) -> None:
    if members > most:
        raise ParleyError(ErrorCode.INVALID, f"a group has at most {most} members")
