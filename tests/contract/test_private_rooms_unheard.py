"""Changes of private rooms of which gateways did not hear at once, and databases that do not answer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from runtime.bus import Bus
from services.auth import announcing, room_changes, sightings
from services.auth.sightings import Sightings
from tests.support.mongo_server import MongoServer, mongo_server
from tests.support.nats_server import connected, nats_server
from tests.support.paused import paused
from tests.support.rooms_world import ANN, BOB, CAM, DEE, RoomsWorld, refusal, rooms_world
from tests.support.waiting import until
from wire import membership
from wire.control import MembersChanged
from wire.membership import NOT_A_MEMBER
from wire.messages import User

Ask = Callable[[RoomsWorld, str], Coroutine[Any, Any, object]]

CHANGES: list[tuple[Ask, dict[str, Any]]] = [
    (lambda world, room: world.invite(BOB, room, CAM), {"added": (CAM,)}),
    (lambda world, room: world.remove(ANN, room, BOB), {"removed": (BOB,), "reason": "removed"}),
    (lambda world, room: world.remove(BOB, room, BOB), {"removed": (BOB,), "reason": "left"}),
    (lambda world, room: world.remove(ANN, room, ANN), {"removed": (ANN,), "reason": "left"}),
    (
        lambda world, room: world.rooms.delete(membership.DeleteGroup(by=ANN, room=room)),
        {"removed": (ANN, BOB), "reason": "deleted"},
    ),
]
NAMES = ["invite", "remove", "leave", "owner leaves", "delete"]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def bus() -> AsyncIterator[Bus]:
    """A connection to a server of this module's own."""
    async with nats_server() as server, connected(server.url) as connection:
        yield connection


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def mongo() -> AsyncIterator[MongoServer]:
    """A database server of this module's own."""
    async with mongo_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    # Somebody listens, so nobody says at once that there is no stream.
    monkeypatch.setattr(announcing, "_TIMEOUT_SECONDS", 0.5)


@pytest_asyncio.fixture(loop_scope="session")
async def world(bus: Bus, mongo: MongoServer) -> AsyncIterator[RoomsWorld]:
    """Everybody is there."""
    async with rooms_world(bus, mongo) as made:
        yield made


@asynccontextmanager
async def mending(world: RoomsWorld, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """As the service does it, only more often."""
    monkeypatch.setattr(room_changes, "_MEND_SECONDS", 0.05)
    task = asyncio.create_task(world.changes.mend())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.mark.parametrize(("change", "news"), CHANGES, ids=NAMES)
async def test_asking_again_has_gateways_hear(world: RoomsWorld, change: Ask, news: dict[str, Any]) -> None:
    """What was stored and not announced is unavailable, however often it is asked for; then it is announced."""
    room = await world.group(BOB)
    world.heard.clear()
    await world.lose_stream()
    for _ in range(2):
        assert (await refusal(change(world, room)))[0] == "unavailable"
    await world.make_stream()
    world.heard.clear()
    await change(world, room)
    assert world.heard == [MembersChanged(room=room, **news)]
    stored = await world.stores[0]._one({"_id": room})
    assert stored is None or not stored.unannounced


@pytest.mark.parametrize(("change", "news"), CHANGES, ids=NAMES)
async def test_gateways_hear_though_nobody_asks_again(
    world: RoomsWorld, monkeypatch: pytest.MonkeyPatch, change: Ask, news: dict[str, Any]
) -> None:
    """Whoever has stored it may have died; a room that is over is gone then."""
    room = await world.group(BOB)
    await world.lose_stream()
    assert (await refusal(change(world, room)))[0] == "unavailable"
    world.heard.clear()
    async with mending(world, monkeypatch):
        await asyncio.wait_for(world.others._store.unannounced(1), 5)
        await world.make_stream()
        await until(lambda: MembersChanged(room=room, **news) in world.heard, "gateways to hear")

        async def nothing_is_left() -> bool:
            return not await world.stores[0].unannounced(1)

        await until(nothing_is_left, "it to be done")
    stored = await world.stores[0]._one({"_id": room})
    assert (stored is None) is (news.get("reason") == "deleted")


async def test_a_removal_that_nobody_heard_of_counts_all_the_same(world: RoomsWorld) -> None:
    """Whoever asks is told by the database; only a gateway that has asked before has to hear."""
    room = await world.group(BOB)
    await world.lose_stream()
    assert (await refusal(world.remove(ANN, room, BOB)))[0] == "unavailable"
    assert not await world.is_member(BOB, room)
    assert await refusal(world.seen_by(BOB, room)) == ("forbidden", NOT_A_MEMBER)


async def test_what_is_undone_before_anybody_heard_is_no_news(world: RoomsWorld) -> None:
    """Gateways hear the last that happened to each, once the stream is there again."""
    room = await world.group(BOB)
    world.heard.clear()
    await world.lose_stream()
    assert (await refusal(world.remove(ANN, room, BOB)))[0] == "unavailable"
    assert (await refusal(world.invite(ANN, room, BOB)))[0] == "unavailable"
    await world.make_stream()
    world.heard.clear()
    await world.invite(ANN, room, CAM)
    assert world.heard == [MembersChanged(room=room, added=(BOB, CAM))]


async def test_a_group_is_made_though_nobody_can_hear_of_it(
    world: RoomsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking again would make another; gateways hear of it later. A conversation can be asked for again."""
    await world.lose_stream()
    room = await world.group(BOB)
    assert await world.is_member(BOB, room)
    ask = membership.OpenDirect(user=ANN, other=BOB)
    assert (await refusal(world.rooms.open_direct(ask)))[0] == "unavailable"
    await world.make_stream()
    world.heard.clear()
    direct = await world.rooms.open_direct(ask)
    assert world.heard == [MembersChanged(room=direct.room, added=(ANN, BOB))]
    async with mending(world, monkeypatch):
        await until(lambda: MembersChanged(room=room, added=(ANN, BOB)) in world.heard, "gateways to hear")


async def test_without_a_database_everything_is_unavailable(world: RoomsWorld, mongo: MongoServer) -> None:
    """Nobody is told no, or yes; afterwards the same question is answered."""
    room = await world.group(BOB)
    async with paused(mongo):
        wishes = [
            world.rooms.check(membership.CheckMember(user=ANN, rooms=[room])),
            world.rooms.create(membership.CreateGroup(owner=ANN, members=[])),
            world.rooms.open_direct(membership.OpenDirect(user=ANN, other=BOB)),
            world.rooms.add(membership.AddMember(by=ANN, room=room, user=CAM)),
            world.rooms.remove(membership.RemoveMember(by=ANN, room=room, user=DEE)),
            world.rooms.rename(membership.RenameGroup(by=ANN, room=room, name="Hiking")),
            world.rooms.list(membership.ListRooms(user=ANN)),
            world.rooms.get(membership.GetRoom(user=ANN, room=room)),
        ]
        refusals = await asyncio.gather(*map(refusal, wishes))
        assert {code for code, _ in refusals} == {"unavailable"}
    assert await world.is_member(BOB, room)


# --- who is there ---------------------------------------------------------------------------------------------------


@asynccontextmanager
async def writing(world: RoomsWorld) -> AsyncIterator[Sightings]:
    """What writes into the directory, at work."""
    made = Sightings(world.directory)
    task = asyncio.create_task(made.write())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_users_of_other_issuers_are_seen_once(world: RoomsWorld) -> None:
    """In an hour, however often their tokens are verified; those who have sessions of ours are there already."""
    strange = User(id="load-7", display_name="Lo\ud800" + "x" * 99, username="seven")

    async def is_there() -> bool:
        return "load-7" in await world.directory.named(["load-7"])

    async with writing(world) as made:
        made.note(User(id="u-new", display_name="New"))
        made.note(strange)
        made.note(strange)
        await until(is_there, "it to be written")
        await world.directory._people.delete_many({})
        made.note(strange)
        made.note(User(id="load-8", display_name="Eight"))

        async def eight_is_there() -> bool:
            return "load-8" in await world.directory.named(["load-8"])

        await until(eight_is_there, "the other")
        assert list(await world.directory.named(["load-7", "load-8", "u-new"])) == ["load-8"]


async def test_who_could_not_be_written_is_seen_again(
    world: RoomsWorld, mongo: MongoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what waits meanwhile is bounded."""
    monkeypatch.setattr(sightings, "_PAUSE_SECONDS", 0.01)
    user = User(id="load-9", display_name="Nine")
    async with writing(world) as made:
        async with paused(mongo):
            made.note(user)
            await until(lambda: bool(made._written), "it to be tried")
            await until(lambda: not made._written, "it to fail")
            for number in range(2 * sightings._WAITING_MOST):
                made.note(User(id=f"load-x{number}", display_name="X"))
            assert len(made._waiting) <= sightings._WAITING_MOST

        async def is_there() -> bool:
            made.note(user)
            return "load-9" in await world.directory.named(["load-9"])

        await until(is_there, "it to be written")
