"""What gateways ask of private rooms: answered by the rules of `groups`, once it is stored and all gateways heard."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Final

from services.auth import groups
from services.auth.announcing import Announcer
from services.auth.directory import Directory
from services.auth.groups import Room
from services.auth.room_store import RoomStore
from wire import codec, membership
from wire.errors import ErrorCode, ParleyError
from wire.membership import LISTED_MOST, MEMBERS_LISTED_MOST, NOT_A_MEMBER, RoomInfo, RoomList
from wire.messages import Author, Done

_CHANGE_SECONDS: Final = 5.0
"""For one change, while others change the same room."""
_RETRY_SECONDS: Final = 0.02
_LISTED_MOST_BYTES: Final = 512 * 1024
"""A NATS message carries 1 MiB."""
_MEND_SECONDS: Final = 5.0
_MENDED_MOST: Final = 100


class PrivateRooms:
    """Every method raises `ParleyError` as its request says, and unavailable: it may have been done, ask again.

    Asking again for a change that was stored, and that some gateways may not have heard of, tells them. `mend` tells
    them, too, if nobody asks.
    """

    def __init__(
        self, store: RoomStore, directory: Directory, announcer: Announcer, *, members_most: int, owned_most: int
    ) -> None:
        self._store = store
        self._directory = directory
        self._announcer = announcer
        self._members_most = members_most
        self._owned_most = owned_most

    async def check(self, request: membership.CheckMember) -> Done:
        """See `CheckMember`."""
        if not await self._store.are_members(request.user, request.rooms):
            raise _not_a_member()
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
            await self._announce(room)
        return await self._info(room)

    async def open_direct(self, request: membership.OpenDirect) -> RoomInfo:
        """See `OpenDirect`."""
        room = groups.direct(request.user, request.other, now=_now())
        await self._check_known([request.other])
        room = await self._store.add(room)
        await self._announce(room)
        return await self._info(room)

    async def add(self, request: membership.AddMember) -> Done:
        """See `AddMember`."""
        invite = partial(groups.with_member, user=request.user, now=_now(), most=self._members_most)
        if not await self._change(request.room, request.by, invite, invited=request.user):
            raise _not_a_member()
        return Done()

    async def remove(self, request: membership.RemoveMember) -> Done:
        """See `RemoveMember`. To leave a room that one is not in, or that is not there, is fine."""
        remove = partial(groups.without_member, by=request.by, user=request.user)
        if not await self._change(request.room, request.by, remove):
            if request.by != request.user:
                raise _not_a_member()
            room = await self._store.unannounced_of(request.room, request.by)
            if room is not None:
                await self._announce(room)
        return Done()

    async def rename(self, request: membership.RenameGroup) -> Done:
        """See `RenameGroup`."""
        if not await self._change(
            request.room, request.by, partial(groups.renamed, by=request.by, name=request.name)
        ):
            raise _not_a_member()
        return Done()

    async def delete(self, request: membership.DeleteGroup) -> Done:
        """See `DeleteGroup`."""
        if not await self._change(request.room, request.by, partial(groups.ended, by=request.by)):
            room = await self._store.unannounced_of(request.room, request.by)
            if room is None or room.members or room.owner != request.by:
                raise _not_a_member()
            await self._announce(room)
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
            raise _not_a_member()
        return await self._info(room)

    async def mend(self) -> None:
        """Have gateways hear, for ever, of what whoever has stored it did not live to tell."""
        before: set[tuple[str, int]] = set()
        while True:
            await asyncio.sleep(_MEND_SECONDS)
            with suppress(ParleyError):
                rooms = await self._store.unannounced(_MENDED_MOST)
                overdue = [each for each in rooms if (each.id, each.revision) in before]
                before = {(each.id, each.revision) for each in rooms}
                for each in overdue:
                    await self._announce(each)

    async def _change(self, id: str, by: str, change: Callable[[Room], Room], *, invited: str | None = None) -> bool:
        """Store what `change` makes of the room, and have gateways hear; False if `by` is not a member.

        Whoever else changes it meanwhile comes first: then `change` is asked again, about the room as it is by then.
        """
        try:
            async with asyncio.timeout(_CHANGE_SECONDS):
                while True:
                    room = await self._store.of_member(id, by)
                    if room is None:
                        return False
                    changed = change(room)
                    if changed is room:
                        break
                    if invited is not None:
                        await self._check_known([invited])
                    if await self._store.replace(room, changed):
                        break
                    await asyncio.sleep(random.uniform(0, _RETRY_SECONDS))  # noqa: S311
        except TimeoutError:
            raise ParleyError(ErrorCode.UNAVAILABLE, "too many change this room at once", retry_after=1) from None
        await self._announce(changed)
        return True

    async def _announce(self, room: Room) -> None:
        news = groups.announcements(room)
        for each in news:
            await self._announcer.members_changed(each)
        if news:
            with suppress(ParleyError):  # then it is told again, which changes nothing
                await self._store.announced(room)

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


def _not_a_member() -> ParleyError:
    return ParleyError(ErrorCode.FORBIDDEN, NOT_A_MEMBER)


def _now() -> int:
    return time.time_ns() // 1_000_000
