"""What a client missed in all of its rooms: read at once, bounded, and in the order of the stream."""

from operator import itemgetter
from typing import Final

from services.gateway.connection import Connection
from services.gateway.missed import Missed
from services.gateway.replay import Packet
from services.gateway.resuming import MISSED_MOST
from services.gateway.rooms import Room

MISSED_MOST_BYTES: Final = 512 * 1024
"""Half of what may wait for one client: what comes next has to fit, too."""


class TooMuchError(Exception):
    """More than `MISSED_MOST` messages, or than `MISSED_MOST_BYTES`."""


class _InRoom:
    """What was missed of one room."""

    __slots__ = ("packets", "room", "upto")

    def __init__(self, room: Room, after: int) -> None:
        self.room: Final = room
        self.upto = after
        """All up to there is in `packets`."""
        self.packets: list[Packet] = []


class MissedInAll:
    """Of `connection`. Rooms are added, then they are read; what came meanwhile is added at the end."""

    def __init__(self, missed: Missed, connection: Connection) -> None:
        self._missed = missed
        self._connection = connection
        self._in_rooms: list[_InRoom] = []
        self._count = 0
        self._size = 0

    @property
    def rooms(self) -> list[Room]:
        """Those that were added."""
        return [each.room for each in self._in_rooms]

    def add(self, room: Room, after: int) -> None:
        """What came in `room` after `after` was missed; what comes is kept until `close`."""
        room.resuming.add(self._connection)
        self._missed.keep(room)
        self._in_rooms.append(_InRoom(room, after))

    def close(self) -> None:
        """Nothing has to be kept any more."""
        for each in self._in_rooms:
            each.room.resuming.discard(self._connection)

    async def read(self) -> None:
        """Read it, one room after the other. Raises `TooMuchError`, and `ParleyError` as `Missed`."""
        for each in self._in_rooms:
            while each.upto < each.room.last_seq:
                packets, upto = await self._missed.behind(each.room, each.upto)
                self._add(each, packets, upto)

    def until_now(self) -> list[tuple[int, Room, bytes]]:
        """Everything: seq, room and packet, by seq. Raises `TooMuchError`, also if too much came to be kept."""
        for each in self._in_rooms:
            while each.upto < each.room.last_seq:
                stretch = None if each.room.replay is None else each.room.replay.holding(each.upto + 1)
                if stretch is None:
                    raise TooMuchError
                self._add(each, stretch.behind(each.upto), stretch.upto)
        found = [(seq, each.room, packet) for each in self._in_rooms for seq, packet in each.packets]
        return sorted(found, key=itemgetter(0))

    def _add(self, to: _InRoom, packets: list[Packet], upto: int) -> None:
        to.packets += packets
        to.upto = upto
        self._count += len(packets)
        self._size += sum(len(packet) for _, packet in packets)
        if self._count > MISSED_MOST or self._size > MISSED_MOST_BYTES:
            raise TooMuchError
