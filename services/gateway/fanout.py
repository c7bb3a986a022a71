"""The fan-out: what happens in a room goes to its members here, and everything else that a client is sent.

A packet is framed once for all members of its room, and the same bytes are written to each. What happens within the
next moments in a room that is busy is joined, and goes out in one write per member. Each client gets everything
in the order in which it was handed over here; what is said of one room and of another may change places. Of an
application's own events a client that is behind gets the newest of each name and sender, once it has caught up.
"""

import asyncio
import time
from collections import deque
from typing import Final

import msgspec

from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.joined_frames import Aside, Waiting
from services.gateway.pushes import EventShown, PresenceShown, RoomPresence, TypingShown, event
from services.gateway.rooms import Room
from services.gateway.writing import write, write_all, write_one
from wire.messages import StoredMessage

Shown = StoredMessage | TypingShown | EventShown | PresenceShown | RoomPresence

_WRITES_A_TURN: Final = 256
"""After so many the loop turns: what is read then may be joined with what is still to be written."""

_NAMES: Final[dict[type[msgspec.Struct], str]] = {
    StoredMessage: "message",
    TypingShown: "typing",
    EventShown: "event",
    PresenceShown: "presence",
    RoomPresence: "presence",
}


class FanOut:
    """`window` is how long, in seconds, a busy room's frames may wait for each other; 0: never.

    A quiet room's frames leave in this turn of the loop, together with those that came in the same read. Rooms are
    written to one after the other, and between two large ones the loop turns: what comes meanwhile for a room that is
    still to be written to is joined, so the more there is to do, the less it costs.
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._order = 0
        self._waiting: dict[str, Room] = {}
        """The rooms with something waiting: those that are due, in their turn, and those that are busy."""
        self._due: deque[Room] = deque()
        self._busy: list[Room] = []
        self._aside: dict[Connection, Aside] = {}
        """The connections in those rooms that are not simply sent what everybody there is."""
        self._loop = asyncio.get_running_loop()
        self._next_turn: asyncio.Handle | None = None
        self._end_of_window: asyncio.TimerHandle | None = None

    def deliver(self, room: Room, shown: Shown, *, skip: str | None = None, stored_at: float = 0.0) -> None:
        """Send it to all members of `room` but the connection with id `skip`.

        `stored_at`: when the stream stored it, seconds since the epoch, if it did. A member that is being told what
        it missed gets stored messages in their turn, and no others: see `Resuming`.
        """
        name = _NAMES[type(shown)]
        packet = event(name, shown)
        if room.replay is not None and isinstance(shown, StoredMessage):
            room.replay.add(shown.seq, packet)
        self._order += 1
        key = (room.name, shown.name, shown.user) if isinstance(shown, EventShown) else None
        is_message = isinstance(shown, StoredMessage)
        room.waiting.append(Waiting(self._order, packet, skip, is_message, key=key, stored_at=stored_at))
        if len(room.waiting) == 1:
            self._schedule(room)
        if room.keeping and isinstance(shown, StoredMessage):
            for member in room.keeping:
                self.tell(member, room, shown.seq, packet)
        metrics.deliveries[name,] += len(room.members)
        if skip is not None:
            for member in room.members:
                if member.id == skip:
                    self._aside.setdefault(member, Aside())
                    metrics.deliveries[name,] -= 1

    def send(self, connection: Connection, packet: bytes, offset: bytes | None = None) -> None:
        """Send one connection a Socket.IO packet, after all that was handed over for it before.

        A closed connection is no error.
        """
        if self._waiting.keys().isdisjoint(connection.rooms):
            write_one(connection.session, packet, offset)
        else:
            self._order += 1
            self._aside.setdefault(connection, Aside()).own.append(Waiting(self._order, packet, offset=offset))

    def tell(self, connection: Connection, room: Room, seq: int, packet: bytes) -> None:
        """The same with message `seq` of `room`, and its offset if the client can get its session back."""
        kept = connection.kept
        self.send(connection, packet, None if kept is None else kept.offset(room.name, seq))

    def entering(self, room: Room, connection: Connection) -> None:
        """To be called before `connection` enters `room`: what waits there is from before its time."""
        self.settle(connection)
        if room.waiting:
            self._aside[connection] = Aside(self._order)

    def settle(self, connection: Connection) -> None:
        """Send `connection` now what waits for it; to be called before it leaves a room."""
        if not self._waiting.keys().isdisjoint(connection.rooms):
            self._settle(connection, self._aside.setdefault(connection, Aside()), {})

    def forget(self, connection: Connection) -> None:
        """It is closed."""
        self._aside.pop(connection, None)

    def _schedule(self, room: Room) -> None:
        self._waiting[room.name] = room
        room.waiting_since = now = time.monotonic()
        if self._window and now < room.busy_until:
            self._busy.append(room)
            if self._end_of_window is None:
                self._end_of_window = self._loop.call_later(self._window, self._on_end_of_window)
        else:
            self._due.append(room)
            if self._next_turn is None:
                self._next_turn = self._loop.call_soon(self._turn)

    def _on_end_of_window(self) -> None:
        self._end_of_window = None
        self._due += self._busy
        self._busy = []
        if self._next_turn is None:
            self._turn()

    def _turn(self) -> None:
        self._next_turn = None
        try:
            self._write_due()
        finally:
            # Whatever became of some, the others are written to.
            if self._due and self._next_turn is None:
                self._next_turn = self._loop.call_soon(self._turn)

    def _write_due(self) -> None:
        written: dict[str, list[Waiting]] = {}
        writes = 0
        while self._due and writes < _WRITES_A_TURN:
            room = self._due.popleft()
            if self._waiting.get(room.name) is room:  # and not one of the same name that was opened since
                del self._waiting[room.name]
            waiting, room.waiting = room.waiting, []
            if not room.members:
                continue
            self._write(room, waiting)
            writes += len(room.members)
            written[room.name] = waiting
            now = time.monotonic()
            metrics.fan_out_duration[()].observe(now - room.waiting_since)
            for each in waiting:
                if each.stored_at:
                    metrics.delivery_latency[()].observe(max(0.0, time.time() - each.stored_at))
            # From now on: writing to thousands takes longer than the window.
            room.busy_until = now + self._window
        for connection, aside in list(self._aside.items()) if self._aside else ():
            rooms = connection.rooms
            # If nothing waits where it is, it has left where something did.
            if not written.keys().isdisjoint(rooms) or self._waiting.keys().isdisjoint(rooms):
                self._settle(connection, aside, written)

    def _write(self, room: Room, waiting: list[Waiting]) -> None:
        if self._aside:
            rest = [session for member, session in room.members.items() if member not in self._aside]
            write_all(rest, waiting)
        else:
            write_all(room.members.values(), waiting)

    def _settle(self, connection: Connection, aside: Aside, written: dict[str, list[Waiting]]) -> None:
        """Write all that is there for `connection`, and remember that it has it for as long as others have not."""
        due, still_waits, is_kept = aside.own, False, connection.kept is not None
        for name in connection.rooms:
            waiting, room = written.get(name), self._waiting.get(name)
            if waiting is None and room is not None and connection in room.members:
                waiting, still_waits = room.waiting, True
            if waiting is not None:
                due += [
                    each
                    for each in waiting
                    if each.order > aside.upto and each.is_for(connection.id, is_kept=is_kept)
                ]
        if due:
            due.sort()
            write(connection.session, due)
        if still_waits:
            self._aside[connection] = Aside(self._order)
        else:
            self._aside.pop(connection, None)
