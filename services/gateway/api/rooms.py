"""The HTTP API of rooms: groups and direct conversations, for their members, and how somebody stands in any room."""

from http import HTTPStatus
from typing import Literal, TypeVar

import msgspec
from aiohttp import web

from services.gateway.access import Access
from services.gateway.api import bodies
from services.gateway.api.bearer import bearer
from services.gateway.api.paths import OfMember, OfRoom
from services.gateway.auth import Auth
from services.gateway.private_rooms import PrivateRooms
from services.gateway.reading import Reading
from wire import membership
from wire.ids import Id
from wire.membership import RoomInfo
from wire.messages import Author
from wire.reading import RoomStanding

T = TypeVar("T", bound=msgspec.Struct)


class GroupBody(msgspec.Struct, frozen=True):
    """`POST /api/rooms`."""

    members: list[Id]
    name: str | None = None


class DirectBody(msgspec.Struct, frozen=True):
    """`POST /api/direct`."""

    user: Id


class NameBody(msgspec.Struct, frozen=True):
    """`PATCH /api/rooms/{room}`."""

    name: str


class RoomBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A room, as it is read."""

    room: Id
    kind: Literal["group", "direct", "public"]
    member_count: int | None = None
    name: str | None = None
    owner: Id | None = None
    members: list[Author] | None = None
    seq: int | None = None
    """Of its last message. This and what follows is absent while history does not answer."""
    read: int | None = None
    """Up to where the bearer has read it."""
    unread: int | None = None
    """Messages of others above that; nobody counts further than `UNREAD_MOST`."""

    @classmethod
    def of(cls, info: RoomInfo, stands: RoomStanding | None = None) -> "RoomBody":
        """What is said of it, to somebody who `stands` there."""
        body = cls(info.room, info.kind, info.member_count, info.name, info.owner, info.members)
        return _standing(body, stands)

    @classmethod
    def public(cls, room: str, stands: RoomStanding | None) -> "RoomBody":
        """The same of a room that is everybody's."""
        return _standing(cls(room, "public"), stands)


def _standing(body: RoomBody, stands: RoomStanding | None) -> RoomBody:
    if stands is None:
        return body
    return msgspec.structs.replace(body, seq=stands.seq, read=stands.read, unread=stands.unread)


class RoomsBody(msgspec.Struct, frozen=True):
    """`GET /api/rooms`. `more`: ask again, with `after` the last one's id."""

    rooms: list[RoomBody]
    more: bool


class _After(msgspec.Struct, frozen=True):
    after: Id | None = None


class RoomsApi:
    """One method per route."""

    def __init__(
        self, auth: Auth, rooms: PrivateRooms, access: Access, reading: Reading, *, body_timeout: float
    ) -> None:
        self._auth = auth
        self._rooms = rooms
        self._access = access
        self._reading = reading
        self._body_timeout = body_timeout

    def routes(self) -> list[web.RouteDef]:
        """The table of routes."""
        return [
            web.get("/api/rooms", self._list),
            web.post("/api/rooms", self._create),
            web.get("/api/rooms/{room}", self._get),
            web.patch("/api/rooms/{room}", self._rename),
            web.delete("/api/rooms/{room}", self._delete),
            web.put("/api/rooms/{room}/members/{user}", self._add),
            web.delete("/api/rooms/{room}/members/{user}", self._remove),
            web.post("/api/direct", self._open_direct),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        by = await self._bearer(request)
        after = bodies.converted(request.query, _After).after
        found = await self._rooms.list(membership.ListRooms(user=by, after=after or ""))
        stands = await self._reading.standings(by, [each.room for each in found.rooms])
        rooms = [RoomBody.of(each, stands.get(each.room)) for each in found.rooms]
        return bodies.answer(RoomsBody(rooms, found.more), HTTPStatus.OK)

    async def _create(self, request: web.Request) -> web.Response:
        by = await self._bearer(request)
        body = await self._body(request, GroupBody)
        wanted = membership.CreateGroup(owner=by, members=body.members, name=body.name)
        return bodies.answer(RoomBody.of(await self._rooms.create(wanted)), HTTPStatus.CREATED)

    async def _get(self, request: web.Request) -> web.Response:
        by = await self._bearer(request)
        room = bodies.converted(request.match_info, OfRoom).room
        if self._access.is_open(room):
            stands = await self._reading.standings(by, [room])
            return bodies.answer(RoomBody.public(room, stands.get(room)), HTTPStatus.OK)
        info = await self._rooms.get(membership.GetRoom(user=by, room=room))
        stands = await self._reading.standings(by, [room])
        return bodies.answer(RoomBody.of(info, stands.get(room)), HTTPStatus.OK)

    async def _rename(self, request: web.Request) -> web.Response:
        by = await self._bearer(request)
        room = bodies.converted(request.match_info, OfRoom).room
        body = await self._body(request, NameBody)
        await self._rooms.rename(membership.RenameGroup(by=by, room=room, name=body.name))
        return _done()

    async def _delete(self, request: web.Request) -> web.Response:
        by = await self._bearer(request)
        room = bodies.converted(request.match_info, OfRoom).room
        await self._rooms.delete(membership.DeleteGroup(by=by, room=room))
        return _done()

    async def _add(self, request: web.Request) -> web.Response:
        by = await self._bearer(request)
        whom = bodies.converted(request.match_info, OfMember)
        await self._rooms.add(membership.AddMember(by=by, room=whom.room, user=whom.user))
        return _done()

    async def _remove(self, request: web.Request) -> web.Response:
        by = await self._bearer(request)
        whom = bodies.converted(request.match_info, OfMember)
        await self._rooms.remove(membership.RemoveMember(by=by, room=whom.room, user=whom.user))
        return _done()

    async def _open_direct(self, request: web.Request) -> web.Response:
        by = await self._bearer(request)
        body = await self._body(request, DirectBody)
        wanted = membership.OpenDirect(user=by, other=body.user)
        return bodies.answer(RoomBody.of(await self._rooms.open_direct(wanted)), HTTPStatus.OK)

    async def _bearer(self, request: web.Request) -> str:
        return (await bearer(request, self._auth)).user.id

    async def _body(self, request: web.Request, kind: type[T]) -> T:
        return await bodies.read(request, kind, timeout=self._body_timeout)


def _done() -> web.Response:
    return web.Response(status=HTTPStatus.NO_CONTENT)
