"""How far rooms go, and how much of them is in MongoDB: what every answer that has to be complete begins with.

A message is acknowledged once the stream holds it, and reaches MongoDB a moment later. So what there is of a room is
what MongoDB holds up to where everything is known to be persisted, and above that what the stream's leader holds.
"""

import asyncio
import sys
from typing import Final, NamedTuple

from nats.errors import Error as NatsError

from runtime.stream import MessageStream
from services.history.progress import Progress
from services.history.store import MessageStore
from wire.errors import ErrorCode, ParleyError

_AT_ONCE: Final = 32
"""Rooms that are asked about, whoever wants to know."""


class Extent(NamedTuple):
    """Of one room."""

    last: int
    """The seq of its last message; 0: there is none."""
    persisted: int
    """MongoDB has everything of it up to there; never above `last`."""


class Extents:
    """Every method raises `ParleyError` (unavailable) if NATS or MongoDB does not answer."""

    def __init__(self, stream: MessageStream, store: MessageStore, progress: Progress) -> None:
        self._stream = stream
        self._store = store
        self._progress = progress
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def last(self, room: str) -> int:
        """Everything that was acknowledged before this call has a seq up to there; 0: nothing was."""
        return await self._stream.last_seq(room) or await self._store.last_seq(room)

    async def of(self, *rooms: str, upto: int = sys.maxsize) -> list[Extent]:
        """One for each of `rooms`, in their order; `upto`: what is above it does not matter."""
        lasts = await asyncio.gather(*map(self._last_in_stream, rooms))
        try:
            persisted = await self._progress.persisted_upto(at_least=min(upto, max(lasts)))
        except NatsError as error:
            raise ParleyError(ErrorCode.UNAVAILABLE, "the history consumer does not answer", retry_after=1) from error
        places = zip(rooms, lasts, strict=True)
        return await asyncio.gather(*(self._extent(room, last, persisted) for room, last in places))

    async def _extent(self, room: str, last: int, persisted: int) -> Extent:
        if last:
            return Extent(last, min(last, persisted))
        # Nothing of this room in the stream: what there is, is persisted.
        async with self._slots:
            last = await self._store.last_seq(room)
        return Extent(last, last)

    async def _last_in_stream(self, room: str) -> int:
        async with self._slots:
            return await self._stream.last_seq(room)
