"""What stands for the event loop, and for what is beyond the edge, in tests of its parts."""

import itertools
from collections.abc import Callable
from typing import Any, Final

from services.gateway.connection import Connection
from services.gateway.edge import frames
from services.gateway.edge.limits import Limits
from services.gateway.edge.pace import Pace
from services.gateway.edge.session import Session
from services.gateway.rooms import Room
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError
from wire.messages import User

_ids = itertools.count(1)
_LATE = 1e-7
"""What a timer is late by: without it, one that is a rounding error early would be set again for ever."""


class Timer:
    """A callback that is due at `when`, or at the end of this turn."""

    def __init__(self, when: float, call: Callable[[], object]) -> None:
        self.when = when
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        """Do not call it."""
        self.cancelled = True


class Clockwork:
    """An event loop whose time passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._soon: list[Timer] = []
        self._later: list[Timer] = []

    def time(self) -> float:
        """Now."""
        return self.now

    monotonic = time

    def get_running_loop(self) -> "Clockwork":
        """This one."""
        return self

    def call_soon(self, call: Callable[..., object], *args: Any) -> Timer:
        """See asyncio."""
        timer = Timer(self.now, lambda: call(*args))
        self._soon.append(timer)
        return timer

    def call_later(self, delay: float, call: Callable[..., object], *args: Any) -> Timer:
        """See asyncio."""
        timer = Timer(self.now + delay, lambda: call(*args))
        self._later.append(timer)
        return timer

    def turn(self) -> None:
        """End this turn of the loop."""
        soon, self._soon = self._soon, []
        _call(soon)

    def pass_time(self, seconds: float) -> None:
        """End this turn, and let time pass; what comes due is called when it is due."""
        self.turn()
        until = self.now + seconds
        while True:
            due = [each for each in self._later if not each.cancelled and each.when <= until]
            if not due:
                break
            first = min(due, key=lambda each: each.when)
            self._later.remove(first)
            self.now = max(self.now, first.when) + _LATE
            _call([first])
            self.turn()
        self.now = max(self.now, until)

    def stand_still(self, seconds: float) -> None:
        """Let time pass in which nothing is called, as in a process that was stopped."""
        self.now += seconds


def _call(timers: list[Timer]) -> None:
    for each in timers:
        if not each.cancelled:
            each.call()


class Wire:
    """A transport that keeps what is written to it."""

    name = "websocket"
    unsent = 0

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.last: tuple[bytes, int] | None = None
        self.aborted = False
        self.reading: list[bool] = []

    @property
    def packets(self) -> list[str | bytes]:
        """All Engine.IO packets so far."""
        return list(frames.packets(b"".join(self.writes)))

    def write(self, data: bytes, /) -> None:
        """See `transport.Transport`."""
        self.writes.append(data)

    def close(self, last: bytes, code: int) -> None:
        """See `transport.Transport`."""
        self.last = (last, code)

    def abort(self) -> None:
        """See `transport.Transport`."""
        self.aborted = True

    def pause_reading(self) -> None:
        """See `transport.Transport`."""
        self.reading.append(False)

    def resume_reading(self) -> None:
        """See `transport.Transport`."""
        self.reading.append(True)


class Ears:
    """An owner of sessions that keeps what sessions tell it; `on_packet` is called with each packet."""

    def __init__(self, on_packet: Callable[[Session, str | bytes], None] | None = None) -> None:
        self.limits = Limits()
        self.pace = Pace(self.limits)
        self.packets: list[str | bytes] = []
        self.malformed_sessions: list[Session] = []
        self.ends: list[str] = []
        self._on_packet = on_packet

    def received(self, session: Session, packet: str | bytes, /) -> None:
        """See `session.Owner`."""
        self.packets.append(packet)
        if self._on_packet is not None:
            self._on_packet(session, packet)

    def malformed(self, session: Session, /) -> None:
        """See `session.Owner`."""
        self.malformed_sessions.append(session)

    def ended(self, _session: Session, reason: str, /) -> None:
        """See `session.Owner`."""
        self.ends.append(reason)


class Current:
    """What stands for `Control` where nothing is asked of it but whether it is current."""

    def __init__(self, *, is_current: bool = True) -> None:
        self.is_current = is_current

    def check(self) -> None:
        """See `Control`."""
        if not self.is_current:
            raise ParleyError(ErrorCode.UNAVAILABLE, "not known")


CURRENT: Final = Current()


class NobodyAsks:
    """What stands for `Presence` where it does not matter who is in which room."""

    def opened(self, _room: Room, /) -> None:
        """See `Presence`."""

    def entered(self, _room: Room, _connection: Connection, /) -> None:
        """See `Presence`."""

    def left(self, _room: Room, _connection: Connection, /) -> None:
        """See `Presence`."""

    def closed(self, _room: Room, /) -> None:
        """See `Presence`."""

    def on_live(self, _room: Room, _message: object, /) -> None:
        """See `Presence`."""


NOBODY_ASKS: Final = NobodyAsks()


def connection() -> tuple[Connection, Wire]:
    """A connection of a user of its own, on a transport that keeps everything."""
    wire, id = Wire(), f"c{next(_ids)}"
    bearer = Verified(user=User(id=id, display_name=id), session="s", expires_at=0, issued_at=0)
    return Connection(id, bearer, Session(Ears(), id, wire)), wire
