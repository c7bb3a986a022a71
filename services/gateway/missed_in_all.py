"""What a client missed in all of its rooms: read at once, bounded, and in the order of the stream."""

from collections.abc import Awaitable, Callable
from typing import Final

from services.gateway.pushes import event
from services.gateway.resuming import MISSED_MOST
from services.gateway.rooms import Room
from wire.messages import GetPage, Page

MISSED_MOST_BYTES: Final = 512 * 1024
"""Half of what may wait for one client: what comes next has to fit, too. A page of history has as much at most."""

Read = Callable[[GetPage], Awaitable[Page]]
"""A page, complete to the last acknowledged message. Raises `ParleyError`."""


class TooMuchError(Exception):
    """More than `MISSED_MOST` messages, or than `MISSED_MOST_BYTES`."""


class _InRoom:
    """What was missed of one room; its newest messages have to be kept meanwhile."""

    __slots__ = ("packets", "room", "upto")

    def __init__(self, room: Room, after: int) -> None:
        self.room: Final = room
        self.upto = after
        """All up to there is in `packets`."""
        self.packets: list[tuple[int, bytes]] = []


class Missed:
    """Of one client. Rooms are added, then they are read; what came meanwhile is added at the end."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._in_rooms: list[_InRoom] = []
        self._count = 0
        self._size = 0

    @property
    def rooms(self) -> list[Room]:
        """Those that were added."""
        return [each.room for each in self._in_rooms]

    def add(self, room: Room, after: int) -> None:
        """What came in `room` after `after` was missed; its newest messages are kept from now on."""
        self._in_rooms.append(_InRoom(room, after))

    async def read(self) -> None:
        """Read what history holds, one room after the other. Raises `TooMuchError`, and `ParleyError`."""
        for each in self._in_rooms:
            upto = each.room.last_seq
            if each.upto < upto:
                page = await self._read(GetPage(room=each.room.name, after=each.upto, limit=MISSED_MOST))
                if page.more:
                    raise TooMuchError
                # What is stored and was not delivered here yet comes live.
                delivered = [message for message in page.messages if message.seq <= each.room.last_seq]
                self._add(each, [(message.seq, event("message", message)) for message in delivered])
                each.upto = max(each.upto, upto)

    def until_now(self) -> list[tuple[int, str, bytes]]:
        """Everything: seq, room and packet, by seq. Raises `TooMuchError`."""
        for each in self._in_rooms:
            newest = None if each.room.newest is None else each.room.newest.after(each.upto)
            if newest is None:
                raise TooMuchError
            self._add(each, newest)
        return sorted((seq, each.room.name, packet) for each in self._in_rooms for seq, packet in each.packets)

    def _add(self, to: _InRoom, packets: list[tuple[int, bytes]]) -> None:
        to.packets += packets
        if packets:
            to.upto = max(to.upto, packets[-1][0])
        self._count += len(packets)
        self._size += sum(len(packet) for _, packet in packets)
        if self._count > MISSED_MOST or self._size > MISSED_MOST_BYTES:
            raise TooMuchError
