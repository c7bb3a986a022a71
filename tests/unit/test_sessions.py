"""Sessions: what the bucket is told of them when its answers do not come, and whose they are."""

import asyncio
from unittest import mock

import pytest

from services.gateway.connection import Connection
from services.gateway.recovery import sessions
from services.gateway.recovery.kept_session import Kept
from services.gateway.recovery.places import Places
from services.gateway.recovery.session_bucket import SessionBucket
from services.gateway.recovery.sessions import Sessions, TakenError
from tests.support.edge import connection
from tests.support.recovery_world import Bucket, Client, World
from tests.support.waiting import until
from wire.errors import ParleyError


class _World:
    def __init__(self) -> None:
        self.bucket = Bucket()
        self.sessions = Sessions(SessionBucket(self.bucket))  # type: ignore[arg-type]

    async def joined(self, *rooms: str) -> tuple[Connection, Kept]:
        """A connection in `rooms`, of which the bucket knows."""
        one, _ = connection()
        one.kept = kept = Kept(one.id, one.bearer.user.id)

        async def join() -> None:
            for room in rooms:
                kept.enter(room, 0)

        await self.sessions.joining(one, join())
        return one, kept

    async def rooms(self, kept: Kept) -> set[str]:
        """Those that the bucket knows of."""
        found = await self.sessions.find(kept.pid)
        return set() if found.session is None else set(found.session.rooms)


async def test_a_leave_whose_answer_is_lost_is_taken_back() -> None:
    """The client is told that it is in the room still: so it has to be when it is recovered."""
    world = _World()
    one, kept = await world.joined("r", "s")
    world.bucket.lost = 2  # it is stored, and nobody hears of it
    with mock.patch.object(sessions, "_RESTORE_SECONDS", 0):
        with pytest.raises(ParleyError):
            await world.sessions.leaving(one, "r")
        assert await world.rooms(kept) == {"s"}
        await asyncio.gather(*world.sessions._tasks)
        assert await world.rooms(kept) == {"r", "s"}


async def test_a_session_that_was_only_put_again_can_be_taken() -> None:
    """The gateway that lost the client has not noticed, and keeps the session from growing old."""
    world = _World()
    one, kept = await world.joined("r")
    found = await world.sessions.find(kept.pid)
    world.sessions._on_age(one)
    await asyncio.gather(*world.sessions._tasks)
    assert (await world.sessions.find(kept.pid)).revision > found.revision
    other, _ = connection()
    assert found.session is not None
    taken = await world.sessions.take(other, kept.pid, Places(found.session.rooms), found)
    assert (await world.sessions.find(kept.pid)).session == taken.record


async def test_a_session_that_has_changed_cannot_be_taken() -> None:
    """What was read of it is not what it is."""
    world = _World()
    one, kept = await world.joined("r")
    found = await world.sessions.find(kept.pid)
    await world.sessions.leaving(one, "r")
    other, _ = connection()
    assert found.session is not None
    with pytest.raises(TakenError):
        await world.sessions.take(other, kept.pid, Places(found.session.rooms), found)


async def test_a_session_with_too_many_rooms_is_given_up_and_its_connection_goes_on() -> None:
    """Also when the answer to its deletion is lost."""
    world = _World()
    one, kept = await world.joined(*(f"r{number}" for number in range(64)))

    async def join() -> None:
        kept.enter("one-more", 0)

    world.bucket.lost = 2
    with pytest.raises(ParleyError):
        await world.sessions.joining(one, join())
    world.bucket.lost = 0
    await world.sessions.joining(one, join())
    assert one.is_open
    assert kept.given_up
    assert (await world.sessions.find(kept.pid)).session is None


@pytest.mark.parametrize("recovers", [False, True])
async def test_a_session_does_not_grow_old_while_its_connection_lasts(recovers: bool) -> None:  # noqa: FBT001
    """It is put again and again, whether it began with this connection or was taken up."""
    world = World()
    client = Client(world)
    with mock.patch.object(sessions, "_REFRESH_SECONDS", 0.01):
        await client.connect(world.gateways[0])
        client.read(1)
        client.join("a")
        await asyncio.gather(*client.tasks)
        if recovers:
            client.lose(noticed=True)
            await client.connect(world.gateways[1])
        (first,) = world.bucket.values.values()
        await until(lambda: next(iter(world.bucket.values.values())).revision > first.revision + 1, "two more puts")
