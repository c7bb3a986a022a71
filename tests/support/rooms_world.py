"""Private rooms as the auth service has them, on a real database and a real stream, and what gateways hear."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import pytest
from nats.js.errors import NotFoundError
from pymongo import monitoring

from runtime.bus import Bus
from runtime.listening import Delivery
from services.auth import database
from services.auth.announcing import Announcer
from services.auth.directory import Directory
from services.auth.room_changes import RoomChanges
from services.auth.room_store import RoomStore
from services.auth.rooms import PrivateRooms
from tests.support.mongo_server import MongoServer
from wire import codec, streams, subjects
from wire.control import MembersChanged
from wire.errors import ParleyError
from wire.membership import AddMember, CheckMember, CreateGroup, GetRoom, RemoveMember, RoomInfo
from wire.messages import User

ANN, BOB, CAM, DEE = "u-ann", "u-bob", "u-cam", "u-dee"
PEOPLE: Final = {ANN: "Ann", BOB: "Bob", CAM: "Cam", DEE: "Dee"}
MEMBERS_MOST: Final = 60

_names = itertools.count(1)


class Commands(monitoring.CommandListener):
    """What MongoDB is asked."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """See pymongo."""
        self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """See pymongo."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """See pymongo."""


commands: Final = Commands()
monitoring.register(commands)


class RoomsWorld:
    """Two instances of the auth service, `rooms` and `others`, and whoever listens."""

    def __init__(self, bus: Bus, url: str, stack: AsyncExitStack, *, owned_most: int = 1000) -> None:
        self.bus = bus
        self.database = f"rooms_{next(_names)}"
        self.directory = Directory(stack.enter_context(database.connected(url, self.database)))
        self.stores: list[RoomStore] = []
        self.rooms, self.others = (self._instance(url, stack, owned_most) for _ in range(2))
        self.heard: list[MembersChanged] = []
        listening = bus.listen(subjects.CONTROL_INTEREST, self._hear)
        stack.callback(listening.close)

    def _instance(self, url: str, stack: AsyncExitStack, owned_most: int) -> PrivateRooms:
        store = RoomStore(stack.enter_context(database.connected(url, self.database)))
        self.stores.append(store)
        self.changes = RoomChanges(store, Announcer(self.bus, token_seconds=600))
        return PrivateRooms(store, self.changes, self.directory, members_most=MEMBERS_MOST, owned_most=owned_most)

    def _hear(self, delivery: Delivery) -> None:
        self.heard.append(codec.Decoder(MembersChanged).decode(delivery.data))

    async def make_stream(self) -> None:
        """As the admin step does."""
        await self.bus.jetstream.add_stream(streams.control(replicas=1))

    async def lose_stream(self) -> None:
        """Nothing can be announced any more."""
        try:
            await self.bus.jetstream.delete_stream(streams.CONTROL)
        except NotFoundError:
            return

    async def group(self, *members: str, owner: str = ANN) -> str:
        """The id of a new group."""
        return (await self.rooms.create(CreateGroup(owner=owner, members=list(members)))).room

    async def seen_by(self, user: str, room: str) -> RoomInfo:
        """The room, as a member sees it."""
        return await self.rooms.get(GetRoom(user=user, room=room))

    async def members(self, room: str, by: str = ANN) -> list[str]:
        """Who is in it, those of longest standing first."""
        return [each.id for each in (await self.seen_by(by, room)).members or []]

    async def is_member(self, user: str | None, *rooms: str) -> bool:
        """What gateways are told; without a user, whether the rooms are there."""
        try:
            await self.others.check(CheckMember(user=user, rooms=list(rooms)))
        except ParleyError:
            return False
        return True

    async def invite(self, by: str, room: str, user: str) -> None:
        """Through one instance."""
        await self.rooms.add(AddMember(by=by, room=room, user=user))

    async def remove(self, by: str, room: str, user: str) -> None:
        """Through the other."""
        await self.others.remove(RemoveMember(by=by, room=room, user=user))


@asynccontextmanager
async def rooms_world(bus: Bus, mongo: MongoServer, **more: Any) -> AsyncIterator[RoomsWorld]:
    """A world of its own, with everybody in the directory and the stream there."""
    async with AsyncExitStack() as stack:
        world = RoomsWorld(bus, mongo.url, stack, **more)
        await world.make_stream()
        stack.push_async_callback(world.lose_stream)
        await asyncio.gather(*(world.directory.saw(User(id=id, display_name=name)) for id, name in PEOPLE.items()))
        yield world


async def refusal(doing: Awaitable[object]) -> tuple[str, str]:
    """The code and the words with which something is refused."""
    with pytest.raises(ParleyError) as caught:
        await doing
    return caught.value.code, caught.value.message
