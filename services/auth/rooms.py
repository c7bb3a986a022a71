"""What gateways ask of private rooms: answered by the rules of `groups`, once it is stored and all gateways heard."""

import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Final

from services.auth import groups
from services.auth.directory import Directory
from services.auth.groups import Room
from services.auth.room_changes import NotAMemberError, RoomChanges
from services.auth.room_store import RoomStore
from wire import codec, membership
from wire.errors import ErrorCode, ParleyError
from wire.membership import LISTED_MOST, MEMBERS_LISTED_MOST, RoomInfo, RoomList
from wire.messages import Author, Done

_LISTED_MOST_BYTES: Final = 512 * 1024
"""A NATS message carries 1 MiB."""


class PrivateRooms:
    """Every method raises `ParleyError` as its request says, and unavailable: it may have been done, ask again."""

    def __init__(
        self, store: RoomStore, changes: RoomChanges, directory: Directory, *, members_most: int, owned_most: int
    ) -> None:
        self._store = store
        self._directory = directory
        self._changes = changes
        self._members_most = members_most
        self._owned_most = owned_most

    async def check(self, request: membership.CheckMember) -> Done:
        """See `CheckMember`."""
        if not await self._store.are_members(request.user, request.rooms):
            raise NotAMemberError
        return Done()

    async def create(self, request: membership.CreateGroup) -> RoomInfo:
        """See `CreateGroup`. Nobody can have asked about the room before: it does not matter when gateways hear."""
        members = [each for each in request.members if each != request.owner]
        room = groups.new_group(request.owner, members, request.name, now=_now(), most=self._members_most)
        await self._check_known(members)
        if await self._store.owned(request.owner) >= self._owned_most:
            raise ParleyError(ErrorCode.FORBIDDEN, f"nobody may own more than {self._owned_most} groups")
        room = await self._store.add(room)
        with suppress(ParleyError):
            await self._changes.announce(room)
        return await self._info(room)

    async def open_direct(self, request: membership.OpenDirect) -> RoomInfo:
        """See `OpenDirect`."""
        room = groups.direct(request.user, request.other, now=_now())
        await self._check_known([request.other])
        room = await self._store.add(room)
        await self._changes.announce(room)
        return await self._info(room)

    async def add(self, request: membership.AddMember) -> Done:
        """See `AddMember`."""
        invite = partial(groups.with_member, user=request.user, now=_now(), most=self._members_most)
        is_known = partial(self._check_known, [request.user])
        await self._changes.change(request.room, request.by, invite, before_storing=is_known)
        return Done()

    async def remove(self, request: membership.RemoveMember) -> Done:
        """See `RemoveMember`. To leave a room that one is not in, or that is not there, is fine."""
        try:
            remove = partial(groups.without_member, by=request.by, user=request.user)
            await self._changes.change(request.room, request.by, remove)
        except NotAMemberError:
            if request.by != request.user:
                raise
            room = await self._store.unannounced_of(request.room, request.by)
            if room is not None:
                await self._changes.announce(room)
        return Done()

    async def rename(self, request: membership.RenameGroup) -> Done:
        """See `RenameGroup`."""
        rename = partial(groups.renamed, by=request.by, name=request.name)
        await self._changes.change(request.room, request.by, rename)
        return Done()

    async def delete(self, request: membership.DeleteGroup) -> Done:
        """See `DeleteGroup`."""
        try:
            await self._changes.change(request.room, request.by, partial(groups.ended, by=request.by))
        except NotAMemberError:
            room = await self._store.unannounced_of(request.room, request.by)
            if room is None or room.members or room.owner != request.by:
                raise
            await self._changes.announce(room)
        return Done()

    async def list(self, request: membership.ListRooms) -> RoomList:
        """See `ListRooms`."""
        found = await self._store.of_user(request.user, request.after, LISTED_MOST + 1, MEMBERS_LISTED_MOST)
        small = [each.room for each in found if each.member_count <= MEMBERS_LISTED_MOST]
        people = await self._directory.named({member.id for room in small for member in room.members})
        rooms: list[RoomInfo] = []
        size = 0
        for each in found[:LISTED_MOST]:
            in_full = each.member_count <= MEMBERS_LISTED_MOST
            info = _info(each.room, each.member_count, people if in_full else None)
            size += len(codec.encode(info))
            if rooms and size > _LISTED_MOST_BYTES:
                break
            rooms.append(info)
        return RoomList(rooms=rooms, more=len(rooms) < len(found))

    async def get(self, request: membership.GetRoom) -> RoomInfo:
        """See `GetRoom`."""
        room = await self._store.of_member(request.room, request.user)
        if room is None:
            raise NotAMemberError
        return await self._info(room)

    async def _check_known(self, users: Iterable[str]) -> None:
        wanted = set(users)
        if wanted and len(await self._directory.named(wanted)) < len(wanted):
            raise ParleyError(ErrorCode.INVALID, "no such user")

    async def _info(self, room: Room) -> RoomInfo:
        people = await self._directory.named(each.id for each in room.members)
        return _info(room, len(room.members), people)


def _info(room: Room, member_count: int, people: dict[str, Author] | None) -> RoomInfo:
    """With its members, unless `people` is None; of whom nobody knows a name, the id is shown."""
    members = None
    if people is not None:
        members = [people.get(each.id) or Author(id=each.id, display_name=each.id) for each in room.members]
    return RoomInfo(
        room=room.id, kind=room.kind, member_count=member_count, name=room.name, owner=room.owner, members=members
    )


def _now() -> int:
    return time.time_ns() // 1_000_000
