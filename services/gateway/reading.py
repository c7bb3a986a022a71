"""How far users have read their rooms: kept by the history service, and told to all their devices."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from runtime.bus import Bus
from runtime.rpc import Caller
from services.gateway.connection import Connection
from services.gateway.requests import MarkRead
from wire import codec, reading, subjects
from wire.errors import ParleyError
from wire.reading import CountUnread, ReadMarker, ReadMoved, RoomStanding, Unread

_MARK_SECONDS: Final = 5.0
_ROOMS_A_QUESTION: Final = 25
"""So that all instances of history share in it; and what one that is slow can say in time is there."""
_COUNT_SECONDS: Final = 2.0
"""Whoever wants a list of rooms does not wait longer for what is unread in them."""


class Reading:
    """Of users, wherever they are."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._mark = Caller(bus, subjects.HISTORY_READ, ReadMarker, timeout=_MARK_SECONDS)
        self._count = Caller(bus, subjects.HISTORY_UNREAD, Unread, timeout=_COUNT_SECONDS)

    async def mark(self, connection: Connection, request: MarkRead) -> int:
        """The user of `connection` has read so far; returns how far that is by now, once it is stored.

        Their other devices are told, at most once, unless it was further already. Raises `ParleyError`: unavailable,
        and then it may have been stored: whoever asks again has them told.
        """
        user = connection.bearer.user.id
        marker = await self._mark(reading.MarkRead(user=user, room=request.room, seq=request.seq))
        # Where it was before it may have been put by one of ours whose answer got lost, and nobody was told. (What is
        # asked for may be above the room's last message, and so above that.)
        if marker.moved or 0 < marker.seq <= request.seq:
            moved = ReadMoved(room=request.room, seq=marker.seq, origin=connection.id)
            with suppress(ParleyError):  # it is stored, which is what was asked for
                self._bus.publish(subjects.live_user(user, subjects.READ), codec.encode(moved))
        return marker.seq

    async def standings(self, user: str, rooms: Sequence[str]) -> dict[str, RoomStanding]:
        """How `user` stands in each of `rooms`; those of which history does not say so soon are not in it."""
        parts = [list(rooms[start : start + _ROOMS_A_QUESTION]) for start in range(0, len(rooms), _ROOMS_A_QUESTION)]
        found = await asyncio.gather(*(self._standings(user, part) for part in parts))
        return {each.room: each for part in found for each in part}

    async def _standings(self, user: str, rooms: list[str]) -> list[RoomStanding]:
        try:
            return (await self._count(CountUnread(user=user, rooms=rooms))).rooms
        except ParleyError:
            return []
