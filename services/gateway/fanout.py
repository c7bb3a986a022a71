"""The fan-out: what happens in a room goes to its members here, and everything else that a client is sent.

A packet is framed once for all members of its room, and the same bytes are written to each. What happens within the
next moments in a room that is busy is joined, and goes out in one write per member. Each client gets everything
in the order in which it was handed over here; what is said of one room and of another may change places.
"""

import asyncio
import time
from typing import Final

import msgspec

from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.edge import frames
from services.gateway.protocol import EventShown, TypingShown
from services.gateway.rooms import Room, Waiting
from wire.messages import StoredMessage

Shown = StoredMessage | TypingShown | EventShown

_encode: Final = msgspec.json.encode
_NAMES: Final[dict[type[msgspec.Struct], str]] = {
    StoredMessage: "message",
    TypingShown: "typing",
    EventShown: "event",
}


class FanOut:
    """`window` is how long, in seconds, a busy room's frames may wait for each other; 0: never.

    A quiet room's frames leave at the end of this turn of the loop, together with those that came in the same read.
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._order = 0
        self._soon: dict[str, Room] = {}
        self._busy: dict[str, Room] = {}
        """The rooms with something waiting, by when it leaves."""
        self._aside: dict[Connection, list[Waiting]] = {}
        """The connections in those rooms that are sent something else than everybody there, and what that is."""
        self._loop = asyncio.get_running_loop()
        self._end_of_turn: asyncio.Handle | None = None
        self._end_of_window: asyncio.Handle | None = None

    def deliver(self, room: Room, shown: Shown, *, skip: str | None = None) -> None:
        """Send it to all members of `room` but the connection with id `skip`.

        A member that is being told what it missed gets stored messages when it has caught up, and no others.
        """
        name = _NAMES[type(shown)]
        packet = event(name, shown)
        if room.resuming and name == "message":
            for waiting in room.resuming.values():
                waiting.append(packet)
        self._order += 1
        room.waiting.append(Waiting(self._order, frames.message(packet), skip))
        if len(room.waiting) == 1:
            self._schedule(room)
        metrics.deliveries[name,] += len(room.members)
        if skip is not None:
            for member in room.members:
                if member.id == skip:
                    self._aside.setdefault(member, [])
                    metrics.deliveries[name,] -= 1

    def send(self, connection: Connection, packet: bytes) -> None:
        """Send one connection a Socket.IO packet, after all that was handed over for it before.

        A closed connection is no error.
        """
        frame = frames.message(packet)
        if connection in self._aside or self._waits_for(connection):
            self._order += 1
            self._aside.setdefault(connection, []).append(Waiting(self._order, frame))
        else:
            connection.session.write(frame)

    def flush(self) -> None:
        """Write all that waits. To be called before somebody enters or leaves a room."""
        self._flush_busy()
        self._flush_soon()

    def _schedule(self, room: Room) -> None:
        if self._window and time.monotonic() < room.busy_until:
            self._busy[room.name] = room
            if self._end_of_window is None:
                self._end_of_window = self._loop.call_later(self._window, self._flush_busy)
        else:
            self._soon[room.name] = room
            if self._end_of_turn is None:
                self._end_of_turn = self._loop.call_soon(self._flush_soon)

    def _waits_for(self, connection: Connection) -> bool:
        rooms = connection.rooms
        return not (self._soon.keys().isdisjoint(rooms) and self._busy.keys().isdisjoint(rooms))

    def _flush_soon(self) -> None:
        if self._end_of_turn is not None:
            self._end_of_turn.cancel()
            self._end_of_turn = None
        rooms, self._soon = self._soon, {}
        self._write(rooms)

    def _flush_busy(self) -> None:
        if self._end_of_window is not None:
            self._end_of_window.cancel()
            self._end_of_window = None
        rooms, self._busy = self._busy, {}
        self._write(rooms)

    def _write(self, rooms: dict[str, Room]) -> None:
        aside = self._aside
        for room in rooms.values():
            joined = _joined(room.waiting)
            if aside:
                for member, session in room.members.items():
                    if member not in aside:
                        session.write(joined)
            else:
                for session in room.members.values():
                    session.write(joined)
        for member in list(aside):
            own = aside[member]
            own += _of(member, rooms)
            if not self._waits_for(member):
                del aside[member]
                own.sort()
                member.session.write(_joined(own))
        # From now on: writing to thousands takes longer than the window, and what came meanwhile can be joined.
        until = time.monotonic() + self._window
        for room in rooms.values():
            room.waiting.clear()
            room.busy_until = until


def _joined(waiting: list[Waiting]) -> bytes:
    return waiting[0].frame if len(waiting) == 1 else b"".join([each.frame for each in waiting])


def _of(member: Connection, rooms: dict[str, Room]) -> list[Waiting]:
    return [
        waiting
        for name in member.rooms
        if name in rooms
        for waiting in rooms[name].waiting
        if waiting.skip != member.id
    ]


def event(name: str, payload: msgspec.Struct) -> bytes:
    """The Socket.IO packet of an event."""
    return b'2["%b",%b]' % (name.encode(), _encode(payload))
