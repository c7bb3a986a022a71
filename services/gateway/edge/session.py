"""An Engine.IO session: what one client has with this server, on whichever transport it is."""

import time
from collections import deque
from typing import Any, Final, Protocol

from services.gateway.edge import frames, metrics
from services.gateway.edge.environ import Environ
from services.gateway.edge.limits import Limits
from services.gateway.edge.newest import Newest, Watch
from services.gateway.edge.pace import Pace
from services.gateway.edge.transport import Transport

_GOING_AWAY: Final = 1001


class Reason:
    """Why a session ended; python-socketio's words, which its `disconnect` handlers get."""

    CLIENT: Final = "client disconnect"
    SERVER: Final = "server disconnect"
    PING_TIMEOUT: Final = "ping timeout"
    TRANSPORT_CLOSE: Final = "transport close"
    TRANSPORT_ERROR: Final = "transport error"


class Owner(Protocol):
    """Who keeps a session, and is told what becomes of it."""

    limits: Limits
    pace: Pace

    def received(self, session: "Session", packet: str | bytes, /) -> None:
        """A MESSAGE packet came: text with its leading "4", or binary."""

    def malformed(self, session: "Session", /) -> None:
        """Something came that is no packet."""

    def ended(self, session: "Session", reason: str, /) -> None:
        """The session is over."""


class Session:
    """One session. `write` is the one way out: frames, in the order in which they are to arrive."""

    __slots__ = (
        "address",
        "application",
        "beat",
        "bucket",
        "closed",
        "environ",
        "held",
        "holds",
        "newest",
        "owner",
        "sent",
        "sid",
        "stored",
        "transport",
        "write",
    )

    def __init__(self, owner: Owner, sid: str, transport: Transport) -> None:
        self.owner: Final = owner
        self.sid: Final = sid
        """Secret: who knows it can speak for the client."""
        self.closed = False
        self.address = ""
        """What its client's address counts as."""
        self.application: Any = None
        """Of whoever serves the session."""
        self.environ: Environ | None = None
        """The request that opened it, for as long as a `connect` handler may ask for it."""
        self.stored: dict[str, Any] | None = None
        self.beat = PING_IS_NEXT
        """When the ping was sent whose answer is due, by `time.monotonic`; or what there is instead of that."""
        self.bucket = 0.0
        """See `Pace`."""
        self.holds = 0
        self.held: deque[str | bytes] | None = None
        self.newest: Newest | None = None
        """What its client gets once it has caught up; None while it is not behind."""
        self.sent = 0
        """Packets, as far as whoever writes them counts."""
        self.transport = transport
        self.write = transport.write

    # --- what python-socketio and python-engineio ask of a socket -------------------------------------------------

    @property
    def session(self) -> dict[str, Any]:
        """What the application stores with the session."""
        if self.stored is None:
            self.stored = {}
        return self.stored

    @session.setter
    def session(self, stored: dict[str, Any]) -> None:
        self.stored = stored

    @property
    def upgraded(self) -> bool:
        """Whether the transport is a WebSocket."""
        return self.transport.name == "websocket"

    # --- packets from the client ----------------------------------------------------------------------------------

    def receive(self, packet: str | bytes) -> None:
        """Handle one Engine.IO packet, in its turn. Never raises."""
        if self.closed:
            return
        if packet == "3":
            if self.beat > 0:
                metrics.ping_round_trip.observe(time.monotonic() - self.beat)
            self.beat = PONG_CAME
        elif self.held is not None:
            self.held.append(packet)
        elif isinstance(packet, bytes) or packet[:1] == "4":
            self.owner.received(self, packet)
        elif packet == "1":
            self.close(Reason.CLIENT, last=frames.NOOP)  # a client that polls waits for its last poll
        elif packet != "6":
            self.owner.malformed(self)

    def hold(self) -> None:
        """Handle no further packet until `release`; may be called several times."""
        self.holds += 1
        if self.held is None:
            self.held = deque()
            self.transport.pause_reading()

    def release(self) -> None:
        """Undo one `hold`."""
        self.holds -= 1
        while self.holds == 0 and self.held is not None:
            held, self.held = self.held, None
            while held and self.held is None:
                self.receive(held.popleft())
            if self.held is not None:
                # One of them holds what comes after it.
                self.held.extend(held)
            else:
                self.transport.resume_reading()

    def fall_behind(self, watch: Watch) -> None:
        """From now on only the newest of what may be superseded is kept. Idempotent."""
        if self.newest is None and not self.closed:
            self.newest = Newest(watch, self.owner.limits.unsent_most // 4)

    def catch_up(self) -> None:
        """The client has read all that was written: write what was kept. Idempotent."""
        newest, self.newest = self.newest, None
        if newest is not None and newest.size:
            metrics.sent(newest.count, newest.size)
            self.write(newest.frames())

    @property
    def kept_bytes(self) -> int:
        """How much is kept in `newest`."""
        return 0 if self.newest is None else self.newest.size

    # --- its end ----------------------------------------------------------------------------------------------------

    def close(self, reason: str, *, last: bytes = b"", code: int = 1000) -> None:
        """End the session after what was written, and `last`; between two polls: see `LastPolls`. Idempotent."""
        if not self.closed:
            if last:
                metrics.sent(1, len(last))
            self.end(reason)
            self.transport.close(last, code)

    def send_away(self) -> None:
        """End the session after what was written, in the way that makes its client connect again. Idempotent."""
        # No CLOSE packet: the Python client would stay away.
        self.close(Reason.SERVER, last=frames.NOOP, code=_GOING_AWAY)

    def abort(self, reason: str) -> None:
        """End the session at once, dropping what was not sent. Idempotent."""
        if not self.closed:
            self.end(reason)
            self.transport.abort()

    def end(self, reason: str) -> None:
        """The transport has ended, or is about to. Idempotent."""
        if not self.closed:
            self.closed = True
            self.write = _drop
            self.held = self.environ = self.newest = None
            self.owner.ended(self, reason)


def _drop(_frames: bytes, /) -> None:
    pass


# Instead of the time of a ping: numbers that all sessions share, so that they take no memory.
PING_IS_NEXT: Final = 0.0
PONG_CAME: Final = -1.0
