"""Joins and removals that cross, as far as one gateway sees them."""

import asyncio
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from services.gateway.access import Access
from services.gateway.connection import Connection
from services.gateway.entering import Entering
from services.gateway.fanout import FanOut
from services.gateway.member_watch import MemberWatch
from services.gateway.replies import Done
from services.gateway.requests import Join
from services.gateway.rooms import Room
from services.gateway.roster import Roster
from tests.support.edge import connection
from tests.support.membership import Membership
from wire.control import MembersChanged
from wire.errors import ErrorCode, ParleyError

ROOM = "g-1"


class _World:
    """One connection at the door of a room, whose joins stop at `gates` of their own."""

    def __init__(self) -> None:
        self.connection, self.wire = connection()
        self.user = self.connection.bearer.user.id
        self.members = Membership(**{ROOM: {self.user}})
        self.roster = Roster()
        self.roster.add(self.connection)
        self.room = Room(ROOM)
        self.gate = asyncio.Event()
        self.at_the_gate = asyncio.Event()
        self.entering = Entering(
            access=Access(self.members, public_rooms=True),
            watch=MemberWatch(),
            roster=self.roster,
            rooms=self,  # type: ignore[arg-type]
            joining=self,  # type: ignore[arg-type]
            sessions=mock.Mock(),
            fan_out=FanOut(0),
            rooms_most=0,
        )

    async def join(self, connection: Connection, _request: Join) -> Done:
        """See `Joining`."""
        self.at_the_gate.set()
        await self.gate.wait()
        connection.rooms.add(ROOM)
        return Done()

    def leave(self, name: str, connection: Connection) -> None:
        """See `Rooms`."""
        connection.rooms.discard(name)

    def begin(self) -> "asyncio.Task[Done]":
        """Begin to join."""
        answer = self.entering.join(self.connection, Join(room=ROOM))
        assert not isinstance(answer, Done)
        return asyncio.create_task(answer)

    def remove(self, *, added: bool = False) -> set[Connection]:
        """The user is no member any more; with `added`, but is again. Returns who was put out."""
        self.members.members[ROOM].discard(self.user)
        removed = MembersChanged(room=ROOM, removed=(self.user,), reason="removed")
        put_out = self.entering.on_members_changed(removed)
        if added:
            self.members.members[ROOM].add(self.user)
            self.entering.on_members_changed(MembersChanged(room=ROOM, added=(self.user,)))
        return put_out

    @property
    def told(self) -> str:
        """All that the client was sent."""
        return "".join(map(str, self.wire.packets))


async def test_a_removal_ends_a_join_wherever_it_is() -> None:
    """It is refused at once, however long it would have taken, and nothing is entered."""
    world = _World()
    joining = world.begin()
    await world.at_the_gate.wait()
    world.remove()
    with pytest.raises(ParleyError) as refused:
        await joining
    assert refused.value.code is ErrorCode.FORBIDDEN
    world.gate.set()
    assert not world.connection.rooms
    assert "removed" not in world.told


async def test_a_removal_before_the_answer_was_used_is_noticed() -> None:
    """The answer was true when it was given, and is not any more."""
    world = _World()
    world.gate.set()
    ask: Callable[..., Any] = world.members.__call__

    async def slowly(question: Any) -> Done:
        done: Done = await ask(question)
        world.remove()
        return done

    with mock.patch.object(world.entering._access, "_ask", slowly), pytest.raises(ParleyError) as refused:
        await world.begin()
    assert refused.value.code is ErrorCode.FORBIDDEN
    assert not world.connection.rooms


async def test_whoever_is_put_out_as_they_enter_is_not_told_that_they_are_in() -> None:
    """After `removed`, an acknowledgement that says so would be the last that they hear."""
    world = _World()
    joining = world.begin()
    await world.at_the_gate.wait()
    world.gate.set()
    await asyncio.sleep(0)
    assert world.connection.rooms == {ROOM}
    assert not joining.done()
    world.remove()
    with pytest.raises(ParleyError) as refused:
        await joining
    assert refused.value.code is ErrorCode.FORBIDDEN
    assert not world.connection.rooms


async def test_whoever_is_let_in_again_meanwhile_enters() -> None:
    """Asked about again, for the first answer may be out of date either way."""
    world = _World()
    joining = world.begin()
    await world.at_the_gate.wait()
    world.gate.set()
    world.remove(added=True)
    assert (await joining).ok
    assert world.connection.rooms == {ROOM}
    assert len(world.members.asked) == 2


async def test_members_that_change_all_the_time_are_not_waited_for_for_ever() -> None:
    """After some tries it is `unavailable`."""
    world = _World()
    ask: Callable[..., Any] = world.members.__call__

    async def restlessly(question: Any) -> Done:
        done: Done = await ask(question)
        world.remove(added=True)
        return done

    with mock.patch.object(world.entering._access, "_ask", restlessly), pytest.raises(ParleyError) as refused:
        await world.begin()
    assert refused.value.code is ErrorCode.UNAVAILABLE


async def test_whoever_is_in_is_put_out_and_told() -> None:
    """Once; whoever is not in is told elsewhere (`MembershipNews`)."""
    world = _World()
    world.gate.set()
    await world.begin()
    assert world.remove() == {world.connection}
    assert not world.connection.rooms
    assert world.told.count('"removed"') == 2  # the event's name, and the reason
    assert world.remove() == set()
    assert world.told.count('"removed"') == 2


async def test_a_join_that_its_client_gave_up_is_over() -> None:
    """A cancellation from elsewhere is not taken for a removal."""
    world = _World()
    joining = world.begin()
    await world.at_the_gate.wait()
    joining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await joining
