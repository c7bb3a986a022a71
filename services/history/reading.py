"""How far users have read rooms, and how much they have not: complete to the last acknowledged message."""

import asyncio
from typing import Final

from runtime.stream import MessageStream
from services.history.extents import Extent, Extents
from services.history.marker_store import MarkerStore
from services.history.store import MessageStore
from wire.reading import UNREAD_MOST, CountUnread, MarkRead, ReadMarker, RoomStanding, Unread

_ROOMS_AT_ONCE: Final = 16
"""Counted, whoever asks."""
_LOOKED_AT_MOST: Final = 1000
"""Messages of one room. Who has written so many since they read last may be told of too few of others'."""
_AT_A_TIME: Final = 125


class Reading:
    """Answers `MarkRead` and `CountUnread`; raises `ParleyError` (unavailable)."""

    def __init__(self, stream: MessageStream, store: MessageStore, markers: MarkerStore, extents: Extents) -> None:
        self._stream = stream
        self._store = store
        self._markers = markers
        self._extents = extents
        self._slots = asyncio.Semaphore(_ROOMS_AT_ONCE)

    async def mark(self, request: MarkRead) -> ReadMarker:
        """Stored, and by a majority, when this returns."""
        seq = min(request.seq, await self._extents.last(request.room))
        if seq:
            return await self._markers.raise_to(request.user, request.room, seq)
        markers = await self._markers.of(request.user, [request.room])
        return ReadMarker(seq=markers.get(request.room, 0), moved=False)

    async def count(self, request: CountUnread) -> Unread:
        """What of each room is there, and not read."""
        # Markers first: a room's end can only have risen since, and so is never below its marker.
        markers = await self._markers.of(request.user, request.rooms)
        extents = await self._extents.of(*request.rooms)
        return Unread(
            rooms=await asyncio.gather(
                *(
                    self._standing(request.user, room, extent, min(markers.get(room, 0), extent.last))
                    for room, extent in zip(request.rooms, extents, strict=True)
                )
            )
        )

    async def _standing(self, user: str, room: str, extent: Extent, read: int) -> RoomStanding:
        unread = 0
        if read < extent.last:
            async with self._slots:
                unread = await self._unread(user, room, extent, read)
        return RoomStanding(room=room, seq=extent.last, read=read, unread=unread)

    async def _unread(self, user: str, room: str, extent: Extent, read: int) -> int:
        others = looked_at = 0
        async for entry in self._stream.between(room, max(read, extent.persisted), extent.last):
            others += entry.message.author.id != user
            looked_at += 1
            if others == UNREAD_MOST or looked_at == _LOOKED_AT_MOST:
                return others
        upto = extent.persisted
        while upto > read and others < UNREAD_MOST and looked_at < _LOOKED_AT_MOST:
            written = await self._store.newest_authors(room, read, upto, _AT_A_TIME)
            others += sum(each.user != user for each in written)
            looked_at += len(written)
            upto = written[0].seq - 1 if len(written) == _AT_A_TIME else 0
        return min(others, UNREAD_MOST)
