"""What a gateway makes of history's answers about reading, over a real NATS: also of those that do not come."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from runtime import rpc
from runtime.bus import Bus
from services.gateway import reading
from services.gateway.reading import Reading
from services.gateway.requests import MarkRead
from tests.support.edge import connection
from wire import codec, subjects
from wire import reading as wire
from wire.errors import ErrorCode, ParleyError
from wire.reading import COUNTED_AT_ONCE, CountUnread, ReadMarker, ReadMoved, RoomStanding, Unread

ROOM = "g-1"


class _History:
    """Stands for history: it has one marker, loses some answers, and does not answer about a slow room."""

    def __init__(self) -> None:
        self.marker = 0
        self.last = 7
        self.loses_answers = False
        self.slow = ""
        self.asked: list[int] = []
        self.held = asyncio.Event()

    async def mark(self, request: wire.MarkRead) -> ReadMarker:
        """See `services.history.reading`."""
        seq = min(request.seq, self.last)
        moved = seq > self.marker
        self.marker = max(self.marker, seq)
        if self.loses_answers:
            raise ParleyError(ErrorCode.UNAVAILABLE, "lost")
        return ReadMarker(seq=self.marker, moved=moved)

    async def count(self, request: CountUnread) -> Unread:
        """See `services.history.reading`."""
        self.asked.append(len(request.rooms))
        if self.slow in request.rooms:
            await self.held.wait()
        return Unread(rooms=[RoomStanding(room=room, seq=3, read=1, unread=2) for room in request.rooms])


@pytest_asyncio.fixture(loop_scope="session")
async def history(bus: Bus) -> AsyncIterator[_History]:
    """One that answers."""
    made = _History()
    endpoints: list[rpc.Endpoint[Any]] = [
        rpc.Endpoint(subjects.HISTORY_READ, wire.MarkRead, made.mark),
        rpc.Endpoint(subjects.HISTORY_UNREAD, CountUnread, made.count),
    ]
    async with rpc.responder(bus, "history", "1.0.0", endpoints):
        yield made
        made.held.set()


@pytest.mark.parametrize("seq", [7, 2**53], ids=["the last", "everything"])
async def test_whoever_asks_again_for_what_was_stored_has_the_others_told(
    bus: Bus, history: _History, seq: int
) -> None:
    """The first answer was lost, after the marker was stored; what is behind the marker is not told."""
    told: list[ReadMoved] = []
    gateway, (device, _) = Reading(bus), connection()
    user = device.bearer.user.id
    listening = bus.listen(
        subjects.live_user_interest(user), lambda live: told.append(codec.Decoder(ReadMoved).decode(live.data))
    )
    history.loses_answers = True
    with pytest.raises(ParleyError) as refused:
        await gateway.mark(device, MarkRead(room=ROOM, seq=seq))
    assert refused.value.code is ErrorCode.UNAVAILABLE
    history.loses_answers = False
    assert await gateway.mark(device, MarkRead(room=ROOM, seq=seq)) == 7
    assert await gateway.mark(device, MarkRead(room=ROOM, seq=5)) == 7
    assert await bus.round_trip(5)
    assert told == [ReadMoved(room=ROOM, seq=7, origin=device.id)]
    listening.close()


async def test_who_has_read_nothing_tells_nobody(bus: Bus, history: _History) -> None:
    """Of a room that is empty, or up to before its first message."""
    told: list[bytes] = []
    gateway, (device, _) = Reading(bus), connection()
    interest = subjects.live_user_interest(device.bearer.user.id)
    listening = bus.listen(interest, lambda live: told.append(live.data))
    assert await gateway.mark(device, MarkRead(room=ROOM, seq=0)) == 0
    history.last = 0
    assert await gateway.mark(device, MarkRead(room=ROOM, seq=9)) == 0
    assert await bus.round_trip(5)
    assert told == []
    listening.close()


async def test_what_is_said_in_time_is_there(bus: Bus, history: _History, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many rooms those are left out that history takes too long for, and few beside them."""
    monkeypatch.setattr(reading, "_COUNT_SECONDS", 0.5)
    gateway, rooms = Reading(bus), [f"g-{number}" for number in range(COUNTED_AT_ONCE)]
    assert list(await gateway.standings("u-ann", rooms)) == rooms
    history.slow = "g-40"
    found = await gateway.standings("u-ann", rooms)
    assert found.keys() == set(rooms) - {f"g-{number}" for number in range(25, 50)}
    assert await gateway.standings("u-ann", []) == {}
    assert max(history.asked) == 25


async def test_without_history_nothing_is_said(bus: Bus) -> None:
    """At once, if nobody is there to answer; and it is no error."""
    async with asyncio.timeout(1):
        assert await Reading(bus).standings("u-ann", [ROOM]) == {}
