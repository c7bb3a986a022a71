"""Many who change the same room at once, on a real database: everybody's change counts, and nobody's is lost."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable

import pytest
import pytest_asyncio

from runtime.bus import Bus
from tests.support.mongo_server import MongoServer, mongo_server
from tests.support.nats_server import connected, nats_server
from tests.support.rooms_world import ANN, BOB, CAM, DEE, RoomsWorld, rooms_world
from wire import membership
from wire.errors import ErrorCode, ParleyError
from wire.messages import User

CROWD = [f"u-{number:02}" for number in range(12)]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def servers() -> AsyncIterator[tuple[Bus, MongoServer]]:
    """Of this module's own."""
    async with nats_server() as nats, connected(nats.url) as bus, mongo_server() as mongo:
        yield bus, mongo


@pytest_asyncio.fixture(loop_scope="session")
async def world(servers: tuple[Bus, MongoServer]) -> AsyncIterator[RoomsWorld]:
    """Everybody is there."""
    async with rooms_world(*servers) as made:
        for each in CROWD:
            await made.directory.saw(User(id=each, display_name=each))
        yield made


async def test_both_open_their_conversation_at_once(world: RoomsWorld) -> None:
    """Through different instances, ten times each: it is one, and has both."""
    opened = await asyncio.gather(
        *(
            instance.open_direct(membership.OpenDirect(user=user, other=other))
            for _ in range(10)
            for instance, user, other in ((world.rooms, ANN, BOB), (world.others, BOB, ANN))
        )
    )
    assert len({each.room for each in opened}) == 1
    assert {frozenset(member.id for member in each.members or []) for each in opened} == {frozenset({ANN, BOB})}
    assert await world.is_member(ANN, opened[0].room)
    assert await world.is_member(BOB, opened[0].room)
    assert await world.stores[0]._rooms.count_documents({}) == 1


async def test_all_are_invited_at_once(world: RoomsWorld) -> None:
    """Each is in it, once, and gateways have heard of each."""
    room = await world.group(BOB)
    await asyncio.gather(*(world.invite(by, room, each) for each in CROWD for by in (ANN, BOB)))
    assert sorted(await world.members(room)) == sorted([ANN, BOB, *CROWD])
    assert {each for change in world.heard for each in change.added} == {ANN, BOB, *CROWD}


async def test_many_changes_at_once_are_not_in_each_others_way(world: RoomsWorld) -> None:
    """They are carried out one after the other, and none has to be asked for again."""
    room = await world.group()
    names = [f"Name {number}" for number in range(60)]
    wishes = [world.rooms.rename(membership.RenameGroup(by=ANN, room=room, name=each)) for each in names]
    assert len(await asyncio.gather(*wishes)) == len(names)
    stored = await world.stores[0]._one({"_id": room})
    assert stored is not None
    assert stored.name in names
    assert stored.revision == 2 + len(names)


async def test_two_are_removed_at_once(world: RoomsWorld) -> None:
    """Neither comes back with the other's removal, whoever removes whom."""
    room = await world.group(BOB, CAM, DEE)
    await asyncio.gather(world.remove(ANN, room, BOB), world.remove(ANN, room, CAM), world.remove(DEE, room, DEE))
    assert await world.members(room) == [ANN]
    assert {each for change in world.heard for each in change.removed} == {BOB, CAM, DEE}


async def test_one_is_removed_while_another_is_invited(world: RoomsWorld) -> None:
    """Both happen."""
    for _ in range(10):
        room = await world.group(BOB)
        await asyncio.gather(world.remove(ANN, room, BOB), world.invite(ANN, room, CAM))
        assert await world.members(room) == [ANN, CAM]


async def test_one_is_removed_and_invited_at_once(world: RoomsWorld) -> None:
    """One of the two is last, and what gateways are told of that one's room is what is stored."""
    for _ in range(10):
        room = await world.group(BOB, CAM)
        await asyncio.gather(world.remove(ANN, room, BOB), world.invite(CAM, room, BOB))
        assert await world.is_member(BOB, room) is (BOB in await world.members(room))
        assert any(BOB in change.removed for change in world.heard if change.room == room)


async def test_the_owner_leaves_while_others_invite_and_leave(world: RoomsWorld) -> None:
    """The group has one owner then, who is in it; or it is gone, because nobody is."""
    for _ in range(10):
        room = await world.group(BOB, CAM)
        steps = [
            world.remove(ANN, room, ANN),
            world.remove(BOB, room, BOB),
            world.invite(ANN, room, DEE),
            world.invite(CAM, room, DEE),
        ]
        random.shuffle(steps)
        await asyncio.gather(*(_unless_refused(each) for each in steps))
        seen = await world.seen_by(CAM, room)
        users = [each.id for each in seen.members or []]
        assert sorted(users) == [CAM, DEE]
        assert seen.owner == users[0]


async def test_all_leave_at_once(world: RoomsWorld) -> None:
    """Then it is gone, and so is what was kept of it."""
    room = await world.group(*CROWD)
    await asyncio.gather(*(world.remove(each, room, each) for each in (ANN, *CROWD)))
    assert {each for change in world.heard for each in change.removed} == {ANN, *CROWD}
    for store in world.stores:
        assert await store._rooms.count_documents({}) == 0


async def test_it_is_deleted_while_others_come_and_go(world: RoomsWorld) -> None:
    """Whoever was in it in the end is told so by gateways, and nothing of it is left."""
    for _ in range(10):
        room = await world.group(BOB, CAM)
        await asyncio.gather(
            _unless_refused(world.rooms.delete(membership.DeleteGroup(by=ANN, room=room))),
            _unless_refused(world.invite(BOB, room, DEE)),
            world.remove(CAM, room, CAM),
        )
        assert not await world.is_member(DEE, room)
        changes = [each for each in world.heard if each.room == room]
        ended = {each for change in changes for each in change.removed}
        assert {ANN, BOB, CAM} <= ended
        assert any(DEE in each.added for each in changes) <= (DEE in ended)
        assert await world.stores[0]._rooms.count_documents({"_id": room}) == 0


@pytest.mark.parametrize("seed", range(3))
async def test_anything_at_once_leaves_a_group_whole(world: RoomsWorld, seed: int) -> None:
    """Every member is in it once and its owner is one; who is none any more, gateways have heard of."""
    dice = random.Random(seed)
    room = await world.group(*CROWD[:4])
    users = [ANN, *CROWD]
    steps = []
    for _ in itertools.repeat(None, 60):
        by, user = dice.choice(users), dice.choice(users)
        steps.append(world.invite(by, room, user) if dice.random() < 0.5 else world.remove(by, room, user))
    await asyncio.gather(*map(_unless_refused, steps))
    stored = await world.stores[0]._one({"_id": room})
    ever = {ANN, *CROWD[:4]} | {each for change in world.heard for each in change.added}
    gone = {each for change in world.heard for each in change.removed}
    if stored is None:
        assert ever <= gone
        return
    members = [each.id for each in stored.members]
    assert len(set(members)) == len(members)
    assert stored.owner in members
    assert ever - set(members) <= gone


async def _unless_refused(doing: Awaitable[object]) -> None:
    try:
        await doing
    except ParleyError as error:
        if error.code not in {ErrorCode.FORBIDDEN, ErrorCode.INVALID}:
            raise
