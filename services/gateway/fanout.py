"""The fan-out: what happens in a room goes to its members here, and everything else that a client is sent.

A packet is framed once for all members of its room, and the same bytes are written to each. What happens within the
next moments in a room that is busy is joined, and goes out in one write per member. Each client gets everything
in the order in which it was handed over here; what is said of one room and of another may change places.
"""

import asyncio
import time
from collections.abc import Iterable
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
    """`window` is how long, in seconds, a busy room's frames may wait for each other; 0: never."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._busy: dict[str, Room] = {}
        self._aside: dict[Connection, list[Waiting]] = {}
        """What connections in busy rooms are sent beside what happens in those rooms."""
        self._order = 0
        self._timer: asyncio.TimerHandle | None = None

    def deliver(self, room: Room, shown: Shown, *, skip: str | None = None) -> None:
        """Send it to all members of `room` but the connection with id `skip`.

        A member that is being told what it missed gets stored messages when it has caught up, and no others.
        """
        name = _NAMES[type(shown)]
        packet = event(name, shown)
        if room.resuming and name == "message":
            for waiting in room.resuming.values():
                waiting.append(packet)
        frame = frames.message(packet)
        if room.waiting:
            self._order += 1
            room.waiting.append(Waiting(self._order, frame, skip))
        elif not self._window:
            self._write(room, frame, skip)
        elif time.monotonic() >= room.busy_until:
            self._write(room, frame, skip)
            # From the end: writing to thousands takes longer than the window, and what came meanwhile can be joined.
            room.busy_until = time.monotonic() + self._window
        else:
            self._order += 1
            room.waiting.append(Waiting(self._order, frame, skip))
            self._busy[room.name] = room
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(self._window, self.flush)
        skipped = skip is not None and any(member.id == skip for member in room.members)
        metrics.delivery(name).inc(len(room.members) - skipped)

    def send(self, connection: Connection, packet: bytes) -> None:
        """Send one connection a Socket.IO packet, after all that was handed over for it before.

        A closed connection is no error.
        """
        if self._busy and not self._busy.keys().isdisjoint(connection.rooms):
            self._order += 1
            self._aside.setdefault(connection, []).append(Waiting(self._order, frames.message(packet)))
        else:
            connection.session.write(frames.message(packet))

    def flush(self) -> None:
        """Write all that waits. To be called before somebody enters or leaves a room."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        busy, self._busy = self._busy, {}
        aside, self._aside = self._aside, {}
        for room in busy.values():
            skips = {waiting.skip for waiting in room.waiting if waiting.skip is not None}
            for member in room.members if skips else ():
                if member.id in skips:
                    aside.setdefault(member, [])
        for room in busy.values():
            joined = b"".join(waiting.frame for waiting in room.waiting)
            for member, session in room.members.items():
                if member not in aside:
                    session.write(joined)
        for member, own in aside.items():
            member.session.write(_merged(member, own, busy.values()))
        until = time.monotonic() + self._window
        for room in busy.values():
            room.waiting.clear()
            room.busy_until = until

    @staticmethod
    def _write(room: Room, frame: bytes, skip: str | None) -> None:
        if skip is None:
            for session in room.members.values():
                session.write(frame)
        else:
            for member, session in room.members.items():
                if member.id != skip:
                    session.write(frame)


def event(name: str, payload: msgspec.Struct) -> bytes:
    """The Socket.IO packet of an event."""
    return b'2["%b",%b]' % (name.encode(), _encode(payload))


def _merged(member: Connection, own: list[Waiting], busy: Iterable[Room]) -> bytes:
    everything = own + [
        waiting for room in busy if member in room.members for waiting in room.waiting if waiting.skip != member.id
    ]
    everything.sort()
    return b"".join(waiting.frame for waiting in everything)
