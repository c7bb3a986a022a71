"""Read markers and unread counts, on a real database: against a model, and when many come at once."""

import asyncio
import itertools
import random
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import pytest
import pytest_asyncio

from runtime.stream import Entry
from services.history import database, reading, store
from services.history.extents import Extents
from services.history.marker_store import MarkerStore
from services.history.reading import Reading
from services.history.settings import DatabaseSettings
from services.history.store import MessageStore
from tests.support.mongo_server import MongoServer
from wire.errors import ErrorCode, ParleyError
from wire.messages import Author, ChatMessage
from wire.reading import UNREAD_MOST, CountUnread, MarkRead, ReadMarker, RoomStanding

ANN, BOB = "u-ann", "u-bob"
ROOM: Final = "g-1"
_databases = itertools.count(1)


class _Stream:
    """Stands for the stream, as far as it is asked: all rooms' messages, from `first` on."""

    def __init__(self) -> None:
        self.rooms: dict[str, list[Entry]] = {}
        self.first = 0

    async def last_seq(self, room: str) -> int:
        return max((entry.seq for entry in self._of(room)), default=0)

    async def between(self, room: str, after: int, upto: int) -> AsyncIterator[Entry]:
        for entry in self._of(room):
            if after < entry.seq <= upto:
                yield entry

    def _of(self, room: str) -> Iterator[Entry]:
        return (entry for entry in self.rooms.get(room, []) if entry.seq >= self.first)


class _World:
    """History, with a stream of which it has persisted everything up to `persisted`."""

    def __init__(self, mongo: Any) -> None:
        self.stream = _Stream()
        self.store = MessageStore(mongo)
        self.markers = MarkerStore(mongo)
        extents = Extents(self.stream, self.store, self)  # type: ignore[arg-type]
        self.reading = Reading(self.stream, self.store, self.markers, extents)  # type: ignore[arg-type]
        self.persisted = 0
        self._seq = 0

    async def persisted_upto(self, *, at_least: int) -> int:
        """See `Progress`."""
        assert at_least
        return self.persisted

    def say(self, room: str, *users: str, apart: int = 1) -> int:
        """One message of each of `users`; returns the seq of the last."""
        for user in users:
            self._seq += apart
            message = ChatMessage(id=f"m{self._seq}", author=Author(id=user, display_name=user), body="x", ts=1)
            self.stream.rooms.setdefault(room, []).append(Entry(self._seq, message))
        return self._seq

    async def persist(self, upto: int = sys.maxsize) -> None:
        """Everything up to there, if it is not yet."""
        entries = [(room, each) for room in self.stream.rooms for each in self.stream.rooms[room]]
        new = [(room, each) for room, each in entries if self.persisted < each.seq <= upto]
        if new:
            await self.store.add(new)
            self.persisted = max(entry.seq for _, entry in new)

    async def mark(self, user: str, room: str, seq: int) -> ReadMarker:
        """See `Reading`."""
        return await self.reading.mark(MarkRead(user=user, room=room, seq=seq))

    async def standing(self, user: str, room: str) -> RoomStanding:
        """Of one room."""
        (one,) = (await self.reading.count(CountUnread(user=user, rooms=[room]))).rooms
        return one


@pytest_asyncio.fixture(loop_scope="session")
async def world(mongo: MongoServer) -> AsyncIterator[_World]:
    """One of its own."""
    name = f"history_{next(_databases)}"
    with database.connected(DatabaseSettings(mongo_url=mongo.url, mongo_database=name)) as connected:
        made = _World(connected)
        await made.store.prepare()
        yield made


async def test_a_marker_only_rises_and_never_above_the_last_message(world: _World) -> None:
    """Whatever is asked for; a room without messages has nothing that could be read."""
    assert await world.mark(ANN, ROOM, 5) == ReadMarker(seq=0, moved=False)
    last = world.say(ROOM, *[BOB] * 9)
    assert await world.mark(ANN, ROOM, 4) == ReadMarker(seq=4, moved=True)
    assert await world.mark(ANN, ROOM, 4) == ReadMarker(seq=4, moved=False)
    assert await world.mark(ANN, ROOM, 2) == ReadMarker(seq=4, moved=False)
    assert await world.mark(ANN, ROOM, 0) == ReadMarker(seq=4, moved=False)
    assert await world.mark(ANN, ROOM, (1 << 63) - 1) == ReadMarker(seq=last, moved=True)
    assert await world.mark(BOB, ROOM, 0) == ReadMarker(seq=0, moved=False)
    assert await world.mark(ANN, "g-2", 1) == ReadMarker(seq=0, moved=False)
    # What the stream has forgotten is in the database.
    await world.persist()
    world.stream.rooms.clear()
    assert await world.mark(BOB, ROOM, last + 1) == ReadMarker(seq=last, moved=True)


@pytest.mark.parametrize("seed", range(5))
async def test_devices_that_race_agree(world: _World, seed: int) -> None:
    """The furthest wins, nobody is told of less than they asked for, and each step of the way has moved once."""
    last = world.say(ROOM, *[BOB] * 20)
    seqs = random.Random(seed).choices(range(1, last + 1), k=40)
    markers = await asyncio.gather(*(world.mark(ANN, ROOM, seq) for seq in seqs))
    assert all(marker.seq >= seq for marker, seq in zip(markers, seqs, strict=True))
    moved = [marker.seq for marker in markers if marker.moved]
    assert len(moved) == len(set(moved))
    assert max(moved) == max(seqs)
    assert (await world.mark(ANN, ROOM, 1)).seq == max(seqs)


@pytest.mark.parametrize("seed", range(10))
async def test_unread_is_what_others_have_said_above_the_marker(world: _World, seed: int) -> None:
    """Whatever part of it is persisted, and whatever the stream still holds: a model test over several rooms."""
    rng = random.Random(seed)
    rooms = [f"g-{number}" for number in range(6)]
    markers = dict.fromkeys(rooms, 0)
    for _ in range(rng.randrange(1, 200)):
        world.say(rng.choice(rooms[:5]), rng.choice((ANN, BOB)), apart=rng.choice((1, 1, 3, 5000)))
    await world.persist(rng.choice((0, world._seq // 2, world._seq)))
    for room in rng.sample(rooms, 4):
        marker = await world.mark(ANN, room, rng.randrange(world._seq + 2))
        markers[room] = marker.seq
    world.stream.first = rng.choice((0, world.persisted))
    answer = await world.reading.count(CountUnread(user=ANN, rooms=rooms))
    for room, standing in zip(rooms, answer.rooms, strict=True):
        said = world.stream.rooms.get(room, [])
        unread = sum(each.seq > markers[room] and each.message.author.id != ANN for each in said)
        last = max((each.seq for each in said), default=0)
        assert standing == RoomStanding(room=room, seq=last, read=markers[room], unread=min(unread, UNREAD_MOST))


@pytest.mark.parametrize("persisted", [0, 400, 800])
async def test_nobody_counts_above_a_hundred(world: _World, persisted: int) -> None:
    """Not in the stream, not in the database, and not across both."""
    last = world.say(ROOM, *[BOB, ANN] * 400)
    await world.persist(persisted)
    assert await world.standing(ANN, ROOM) == RoomStanding(room=ROOM, seq=last, read=0, unread=UNREAD_MOST)
    await world.mark(ANN, ROOM, last - 2 * UNREAD_MOST)
    assert (await world.standing(ANN, ROOM)).unread == UNREAD_MOST
    await world.mark(ANN, ROOM, last - 2 * UNREAD_MOST + 2)
    assert (await world.standing(ANN, ROOM)).unread == UNREAD_MOST - 1


@pytest.mark.parametrize("persisted", [False, True])
async def test_whoever_talks_to_themselves_costs_no_more_than_anybody(
    world: _World, monkeypatch: pytest.MonkeyPatch, *, persisted: bool
) -> None:
    """Only so many messages are looked at; what others have said last is among them."""
    monkeypatch.setattr(reading, "_LOOKED_AT_MOST", 40)
    monkeypatch.setattr(reading, "_AT_A_TIME", 10)
    world.say(ROOM, BOB, *[ANN] * 60)
    if persisted:
        world.say(ROOM, BOB, ANN)
        await world.persist()
    assert (await world.standing(ANN, ROOM)).unread == 1


async def test_what_is_read_costs_no_look_at_messages(world: _World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is in most rooms."""
    last = world.say(ROOM, *[BOB] * 3)
    await world.persist()
    await world.mark(ANN, ROOM, last)
    monkeypatch.delattr(store.MessageStore, "_newest")
    assert (await world.standing(ANN, ROOM)).unread == 0


async def test_without_the_database_it_is_unavailable(world: _World, mongo: MongoServer) -> None:
    """Nothing is answered that may not be so."""
    world.say(ROOM, BOB)
    settings = DatabaseSettings(mongo_url=mongo.url.replace("127.0.0.1", "127.0.0.2"))
    with database.connected(settings) as nowhere:
        world.reading._markers = MarkerStore(nowhere)
        asked = (world.mark(ANN, ROOM, 1), world.mark(ANN, ROOM, 0), world.standing(ANN, ROOM))
        for refused in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(refused, ParleyError)
            assert refused.code is ErrorCode.UNAVAILABLE
