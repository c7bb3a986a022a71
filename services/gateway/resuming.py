"""Resuming: a client is told what it missed in a room, as fast as it reads, and then is where the room is.

What it has still to be told is not kept for it: it is looked up, or read, once the client has read what it was sent
before; and so is what comes meanwhile (see `Missed`).
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.control import Control
from services.gateway.edge.reading import caught_up, has_much_to_read
from services.gateway.fanout import FanOut
from services.gateway.missed import Missed
from services.gateway.replay import Packet
from services.gateway.rooms import Room
from wire.errors import ErrorCode, ParleyError

MISSED_MOST: Final = 500
_PORTION_BYTES: Final = 64 * 1024


class Resuming:
    """Tells connections what they missed. `seconds` is how long one may take to be told of one room."""

    def __init__(self, fan_out: FanOut, missed: Missed, control: Control, *, seconds: float) -> None:
        self._fan_out = fan_out
        self._missed = missed
        self._control = control
        self._seconds = seconds

    async def tell_missed(self, room: Room, connection: Connection, after: int) -> tuple[int, bool]:
        """Tell `connection` what came in `room` after `after`, once and in order; returns how many, and if cut off.

        That is the newest `MISSED_MOST` until now, and all that comes meanwhile: when this returns, nothing up to
        `room.last_seq` is left. Raises `ParleyError`: unavailable if it cannot be read, if it takes too long, and
        while it is not known who may be here; not_joined if the connection is closed. Whatever was told until then is
        a beginning, without a hole.
        """
        with metrics.resuming.track_inprogress():
            try:
                async with asyncio.timeout(self._seconds):
                    begin = await self._missed.begin(room, after, MISSED_MOST)
                    telling = _Telling(self._fan_out, room, connection, begin)
                    await self._tell(room, telling)
            except TimeoutError:
                why = "not caught up in time: join again after the last seq that came"
                raise ParleyError(ErrorCode.UNAVAILABLE, why, retry_after=1) from None
        return telling.count, begin > after

    async def _tell(self, room: Room, telling: "_Telling") -> None:
        while telling.upto < room.last_seq:
            packets, upto = await self._missed.behind(room, telling.upto)
            telling.connection.check_open()
            self._control.check()  # whoever was let in before may be no member any more
            if telling.send(packets):
                telling.upto = upto
            else:
                await caught_up(telling.connection.session)
                telling.connection.check_open()


class _Telling:
    """What one connection has been told of one room."""

    def __init__(self, fan_out: FanOut, room: Room, connection: Connection, upto: int) -> None:
        self.connection: Final = connection
        self.upto = upto
        """It has all that it will get up to there."""
        self.count = 0
        self._fan_out = fan_out
        self._room = room
        self._portion = 0

    def send(self, packets: Iterable[Packet]) -> bool:
        """Send these; returns whether all of them went: they do not if the client has to read first."""
        for seq, packet in packets:
            self._fan_out.tell(self.connection, self._room, seq, packet)
            self.upto = seq
            self.count += 1
            self._portion += len(packet)
            if self._portion > _PORTION_BYTES:
                self._portion = 0
                self._fan_out.settle(self.connection)
                if has_much_to_read(self.connection.session):
                    return False
        return True
