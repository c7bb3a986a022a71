"""Resuming: a client is told what it missed in a room, as fast as it reads, and then is where the room is.

What it has still to be told is not kept for it. It is read from history, a page at a time, once the client has read
what it was sent before; so is what comes meanwhile. Only what comes while a page is being read is kept, once for
all who resume in that room: otherwise nobody would ever catch up with a busy one.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from runtime.rpc import Caller
from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.fanout import FanOut
from services.gateway.pushes import event
from services.gateway.rooms import Room
from wire.errors import ErrorCode, ParleyError
from wire.messages import GetPage, Page, StoredMessage

MISSED_MOST: Final = 500
_PAGES_AT_ONCE: Final = 16
"""Read by this gateway; the others wait in their order. A client that reads slowly holds none meanwhile."""
_PORTION_BYTES: Final = 64 * 1024


class Resuming:
    """Tells connections what they missed. `seconds` is how long one may take to be told of one room."""

    def __init__(self, fan_out: FanOut, history: Caller[Page], *, seconds: float) -> None:
        self._fan_out = fan_out
        self._history = history
        self._seconds = seconds
        self._slots = asyncio.Semaphore(_PAGES_AT_ONCE)

    async def tell_missed(self, room: Room, connection: Connection, after: int) -> tuple[int, bool]:
        """Tell `connection` what came in `room` after `after`, once and in order; returns how many, and if cut off.

        That is the newest `MISSED_MOST` until now, and all that comes meanwhile: when this returns, nothing up to
        `room.last_seq` is left. Raises `ParleyError`: unavailable if history is, or if it takes too long;
        not_joined if the connection is closed. Whatever was told until then is a beginning, without a hole.
        """
        telling = _Telling(self._fan_out, room, connection, after)
        with metrics.resuming.track_inprogress():
            try:
                async with asyncio.timeout(self._seconds):
                    await self._tell(telling)
            except TimeoutError:
                why = "not caught up in time: join again after the last seq that came"
                raise ParleyError(ErrorCode.UNAVAILABLE, why, retry_after=1) from None
        return telling.count, telling.truncated

    async def _tell(self, telling: "_Telling") -> None:
        while not await self._tell_a_page(telling):
            await telling.connection.session.caught_up()

    async def _tell_a_page(self, telling: "_Telling") -> bool:
        async with self._slots:
            telling.check_open()
            with telling.room.newest_kept():
                messages, upto = await (self._next(telling) if telling.count else self._first(telling))
                telling.check_open()
                return telling.tell(messages, upto)

    async def _first(self, telling: "_Telling") -> tuple[list[StoredMessage], int]:
        """The oldest page of the newest `MISSED_MOST`, and up to where it is complete."""
        before, left = telling.room.last_seq + 1, MISSED_MOST
        while True:
            page = await self._page(telling, left, before)
            left -= len(page.messages)
            if not page.more or not left:
                telling.truncated = page.more
                return page.messages, before - 1
            before = page.messages[0].seq  # the newer ones are read again when it is their turn

    async def _next(self, telling: "_Telling") -> tuple[list[StoredMessage], int]:
        """The page behind what was told, and up to where it is complete."""
        upto = telling.room.last_seq
        page = await self._page(telling, MISSED_MOST)
        return page.messages, page.messages[-1].seq if page.more else upto

    async def _page(self, telling: "_Telling", limit: int, before: int | None = None) -> Page:
        limit = min(limit, telling.fit)
        page = await self._history(GetPage(room=telling.room.name, after=telling.upto, before=before, limit=limit))
        if page.more:
            telling.fit = min(MISSED_MOST, 2 * len(page.messages))
        return page


class _Telling:
    """What one connection has been told of one room."""

    def __init__(self, fan_out: FanOut, room: Room, connection: Connection, after: int) -> None:
        self.room: Final = room
        self.connection: Final = connection
        self.upto = after
        """It has all that it will get up to there."""
        self.count = 0
        self.truncated = False
        self.fit = MISSED_MOST
        """About twice as many as a page of history holds: it reads all that it is asked for, and cuts by size."""
        self._fan_out = fan_out
        self._portion = 0

    def check_open(self) -> None:
        """Raises `ParleyError` (not_joined) if there is nobody to be told."""
        if not self.connection.is_open:
            raise ParleyError(ErrorCode.NOT_JOINED, "the connection is closed")

    def tell(self, messages: list[StoredMessage], upto: int) -> bool:
        """Send a page that is complete up to `upto`, and what came since; whether that is all there is.

        It is not if the client has to read first, or if more came than is kept.
        """
        # What is stored and was not delivered here yet comes live.
        delivered = [each for each in messages if each.seq <= self.room.last_seq]
        if not self._send((each.seq, event("message", each)) for each in delivered):
            return False
        self.upto = max(self.upto, min(upto, self.room.last_seq))
        newest = None if self.room.newest is None else self.room.newest.after(self.upto)
        return newest is not None and self._send(newest)

    def _send(self, packets: Iterable[tuple[int, bytes]]) -> bool:
        for seq, packet in packets:
            self._fan_out.tell(self.connection, self.room, seq, packet)
            self.upto = seq
            self.count += 1
            self._portion += len(packet)
            if self._portion > _PORTION_BYTES:
                self._portion = 0
                self._fan_out.settle(self.connection)
                if self.connection.session.is_behind:
                    return False
        return True
