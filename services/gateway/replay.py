"""What was said in a room lately, kept once for all who resume there."""

import asyncio
from bisect import bisect_right, insort
from collections.abc import Sequence
from operator import attrgetter, itemgetter
from typing import Final, Protocol

PAGE_MOST: Final = 500
"""Messages that a page of history may hold."""

_LIVE_BYTES: Final = 64 * 1024
"""A stretch that has grown to it grows no more: what is kept is let go a stretch at a time."""
_STRETCH_COSTS: Final = 300
_PACKET_COSTS: Final = 150
"""Bytes of memory beside the packets themselves, about."""

Packet = tuple[int, bytes]
"""A message as a Socket.IO packet, behind its seq."""


class Stretch:
    """All messages of a room with ``after < seq <= upto``, in order."""

    __slots__ = ("after", "packets", "size", "upto")

    def __init__(self, after: int, upto: int, packets: Sequence[Packet] = ()) -> None:
        self.after: Final = after
        self.upto = upto
        self.packets = list(packets)
        self.size = _STRETCH_COSTS + sum(len(packet) + _PACKET_COSTS for _, packet in packets)

    def behind(self, seq: int) -> list[Packet]:
        """Those with a higher seq."""
        return self.packets[bisect_right(self.packets, seq, key=itemgetter(0)) :]

    def grow(self, seq: int, packet: bytes) -> int:
        """`seq` is the room's next message; returns what it costs."""
        self.packets.append((seq, packet))
        self.upto = seq
        costs = len(packet) + _PACKET_COSTS
        self.size += costs
        return costs


class Keeper(Protocol):
    """Who bounds what all rooms keep."""

    def grew(self, replay: "Replay", stretch: Stretch, size: int) -> None:
        """`stretch` of `replay` needs `size` bytes more; may call `drop` of any."""


class Replay:
    """What is kept of one room: stretches in order, which do not overlap; the last one grows as the room does."""

    def __init__(self, keeper: Keeper, last_seq: int) -> None:
        self._keeper = keeper
        self.stretches = [Stretch(last_seq, last_seq)]
        self.used_at = 0.0
        """When somebody resumed in the room, by the loop's clock."""
        self.reading: asyncio.Task[None] | None = None
        """Reads a stretch that is not kept, for all who need it; one at a time."""
        self.fit = PAGE_MOST
        """About twice as many as a page of history holds: it reads all that it is asked for, and cuts by size."""

    def add(self, seq: int, packet: bytes) -> None:
        """It was delivered to the room's members."""
        live = self.stretches[-1]
        if live.size > _LIVE_BYTES:
            live = Stretch(live.upto, live.upto)
            self.stretches.append(live)
        self._keeper.grew(self, live, live.grow(seq, packet))

    def insert(self, stretch: Stretch) -> None:
        """Keep what was read: nothing of it is kept yet."""
        insort(self.stretches, stretch, key=attrgetter("after"))
        self._keeper.grew(self, stretch, stretch.size)

    def drop(self, stretch: Stretch) -> None:
        """Keep it no more."""
        if stretch is self.stretches[-1]:
            self.stretches.append(Stretch(stretch.upto, stretch.upto))
        self.stretches.remove(stretch)

    def holding(self, seq: int) -> Stretch | None:
        """The stretch that says what is at `seq`."""
        return next((each for each in self.stretches if each.after < seq <= each.upto), None)

    def gap(self, seq: int) -> tuple[int, int]:
        """What is missing around `seq`, which no stretch holds: all behind the first number, up to the second."""
        below = max((each.upto for each in self.stretches if each.upto < seq), default=0)
        return below, min(each.after for each in self.stretches if each.after >= seq)
