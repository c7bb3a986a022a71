"""Rooms of a gateway: opened once, with a last seq that never goes back."""

import asyncio
from typing import Any

import pytest

from services.gateway.rooms import Room, Rooms
from tests.support.edge import NOBODY_ASKS, connection
from tests.support.waiting import until
from wire.errors import ErrorCode, ParleyError
from wire.headers import Position
from wire.messages import Author, ChatMessage


class _Subscription:
    def __init__(self, open_subjects: list[str], subject: str) -> None:
        self._open = open_subjects
        self._subject = subject

    def close(self) -> None:
        self._open.remove(self._subject)


class _Bus:
    """Stands for the bus: remembers what is subscribed."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.client = self
        self.is_connected = True

    def listen(self, subject: str, on_message: Any) -> _Subscription:
        del on_message
        self.open.append(subject)
        return _Subscription(self.open, subject)


def _on_live(room: Room, message: Any) -> None:
    del room, message


def _rooms(bus: _Bus, baseline: Any, linger: float = 0) -> Rooms:
    return Rooms(bus, _on_live, baseline, NOBODY_ASKS, linger=linger)  # type: ignore[arg-type]


async def test_what_comes_live_while_a_room_opens_is_not_forgotten() -> None:
    """The answer about the last seq may be older than what was heard while waiting for it."""

    async def baseline(_name: str) -> int:
        (opening,) = rooms._rooms.values()
        await asyncio.sleep(0)
        opening.last_seq = 6  # as the relay does
        return 0

    rooms = _rooms(_Bus(), baseline)
    room = await rooms.hold("r")
    assert room.last_seq == 6


async def test_many_joins_at_once_open_a_room_once() -> None:
    """One subscription, one question."""
    asked = 0

    async def baseline(_name: str) -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return 7

    bus = _Bus()
    rooms = _rooms(bus, baseline)
    held = await asyncio.gather(*(rooms.hold("r") for _ in range(50)))
    assert len(set(map(id, held))) == 1
    assert (asked, bus.open) == (1, ["live.room.r.*"])
    assert held[0].last_seq == 7


async def test_a_room_that_cannot_be_opened_leaves_nothing_and_the_next_join_tries_again() -> None:
    """All who wait get the error; then neither the room nor its subscription is there."""
    failing = True

    async def baseline(_name: str) -> int:
        await asyncio.sleep(0)
        if failing:
            raise ParleyError(ErrorCode.UNAVAILABLE, "not now")
        return 3

    bus = _Bus()
    rooms = _rooms(bus, baseline)
    results = await asyncio.gather(*(rooms.hold("r") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(each, ParleyError) for each in results)
    for _ in range(5):
        await asyncio.sleep(0)
    assert bus.open == []
    failing = False
    assert (await rooms.hold("r")).last_seq == 3


async def test_a_join_that_is_given_up_does_not_stop_the_others() -> None:
    """The opening is shared: whoever is cancelled while waiting takes only themselves out."""
    go = asyncio.Event()

    async def baseline(_name: str) -> int:
        await go.wait()
        return 1

    rooms = _rooms(_Bus(), baseline)
    given_up, other = asyncio.create_task(rooms.hold("r")), asyncio.create_task(rooms.hold("r"))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    go.set()
    assert (await other).last_seq == 1


async def test_a_room_closes_after_its_last_member_and_not_before() -> None:
    """Members and joins under way keep it open; somebody who comes back during the linger finds it as it was."""

    async def baseline(_name: str) -> int:
        return 1

    bus = _Bus()
    rooms = _rooms(bus, baseline, linger=0.01)
    member, _ = connection()
    room = await rooms.hold("r")
    rooms.enter(room, member)
    rooms.release(room)
    rooms.leave("r", member)
    assert await rooms.hold("r") is room
    rooms.release(room)
    await until(lambda: bus.open == [], "the subscription to go")
    assert rooms.open_rooms() == []


async def test_a_room_in_order_holds_nothing_for_one_that_is_not() -> None:
    """Ten thousand quiet rooms: what waits for a hole has a place only while it does, and a bounded one."""
    room = Room("r")
    assert room.behind is None
    message = ChatMessage(id="m", author=Author(id="u", display_name="U"), body="x", ts=1)
    for seq in range(1, 1502):
        room.wait_behind(message, Position(seq=seq, prev=seq - 1, stored_at=0.0))
    assert room.behind is not None
    assert (room.behind[0][1].seq, len(room.behind)) == (502, 1000)


async def test_whoever_comes_in_during_the_linger_keeps_the_room() -> None:
    """Also one who finds it open and need not wait for anything, as a lone member does who reloads their page."""

    async def baseline(_name: str) -> int:
        return 1

    bus = _Bus()
    rooms = _rooms(bus, baseline, linger=0.01)
    member, _ = connection()
    room = await rooms.hold("r")
    rooms.enter(room, member)
    rooms.release(room)
    rooms.leave("r", member)
    assert room.linger is not None
    assert rooms.opened("r") is room
    rooms.enter(room, member)
    assert room.linger is None
    assert rooms.open_rooms() == [room]
    rooms.leave("r", member)
    await until(lambda: bus.open == [], "the subscription to go, once it is empty again")
