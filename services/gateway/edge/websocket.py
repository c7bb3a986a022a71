"""A WebSocket that has left aiohttp: the socket's protocol, and the transport of a session.

aiohttp's request, its handler and its tasks are gone by then; what is left of a connection is this object, its
session, and the event loop's transport.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import WSCloseCode

from services.gateway.edge import frames, metrics
from services.gateway.edge.parser import FrameParser, StrictParser, is_one_whole_frame
from services.gateway.edge.session import Reason, Session
from services.gateway.edge.shared import Shared
from services.gateway.edge.upgrade import Upgrade

_OPEN: Final = 0
_CLOSING: Final = 1
"""A close frame was sent, and the client's is awaited."""
_DISCARDING: Final = 2
"""What the client sends can no longer be understood, or is of no interest."""


class WebSocket(asyncio.Protocol):
    """Carries `session`, or is about to take one over from polling by `upgrade`."""

    __slots__ = ("_parser", "_shared", "_state", "_stream", "session", "upgrade", "write")

    name = "websocket"

    def __init__(self, shared: Shared, stream: asyncio.Transport) -> None:
        self._shared = shared
        self._stream = stream
        self._parser: StrictParser | None = None
        self._state = _OPEN
        self.session: Session | None = None
        self.upgrade: Upgrade | None = None
        self.write: Callable[[bytes], None] = stream.write
        # Told as soon as anything has to wait: whoever is not behind is never asked.
        stream.set_write_buffer_limits(high=0)

    # --- asyncio.Protocol -------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._state == _DISCARDING:
            return
        metrics.received_bytes.value += len(data)
        parser, frames = self._parser, 1
        if parser is None and is_one_whole_frame(data):
            self._shared.parser.feed(data, self)
        else:
            if parser is None:
                parser = self._parser = StrictParser(self._shared.limits.payload_most)
            parser.feed(data, self)
            frames = parser.frames
        if self.session is not None and not self.session.closed:
            self.session.owner.pace.took(self.session, frames)

    def eof_received(self) -> None:
        """The client will send nothing more; the event loop closes the connection."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._shared.parting.discard(self)
        self._ended(Reason.TRANSPORT_CLOSE if exc is None else Reason.TRANSPORT_ERROR)

    def pause_writing(self) -> None:
        """The client reads more slowly than it is sent to."""
        self._set_writer(self._write_behind)
        self._shared.backlog.add(self)

    def resume_writing(self) -> None:
        """It has read everything."""
        self._shared.backlog.remove(self)
        self._set_writer(self._stream.write)

    # --- parser.Messages --------------------------------------------------------------------------------------------

    def message(self, payload: str | bytes) -> None:
        """An Engine.IO packet."""
        if self._state == _OPEN:
            metrics.received_packets.value += 1
            if self.upgrade is not None:
                self.upgrade.receive(payload)
            elif self.session is not None:
                self.session.receive(payload)

    def pinged(self, payload: bytes) -> None:
        """A ping frame of the WebSocket protocol."""
        if self._state == _OPEN:
            self.write(frames.pong(payload))

    def close_requested(self, code: int) -> None:
        """The client's close frame: answered, unless it is an answer itself. Then the connection ends."""
        if self._state == _OPEN:
            self._stream.write(frames.close(code or WSCloseCode.OK))
            self._shared.parting.add(self)
        if self._stream.get_write_buffer_size():
            # It is owed something, which is sent first; but it need not read it, and no backlog sees it any more.
            self._shared.closing.add(self, self._shared.limits.close_timeout)
        self._stream.close()
        self._ended(Reason.TRANSPORT_CLOSE)

    def broken(self, code: int) -> None:
        """The client broke the WebSocket protocol."""
        if self._parser is None:
            # The shared one has stopped at the error.
            self._shared.parser.stop()
            self._shared.parser = FrameParser(self._shared.limits.payload_most)
        self.close(b"", code)
        self._ended(Reason.TRANSPORT_ERROR)

    # --- transport.Transport ----------------------------------------------------------------------------------------

    def close(self, last: bytes, code: int) -> None:
        """Send `last` and a close frame, and wait a while for the client to end the connection."""
        if self._state == _OPEN:
            self._state = _CLOSING
            self._stream.write(last + frames.close(code))
            self._stream.resume_reading()
            self._shared.parting.add(self)
            self._shared.closing.add(self, self._shared.limits.close_timeout)

    def abort(self) -> None:
        """End the connection at once."""
        self._stream.abort()
        self._ended(Reason.TRANSPORT_ERROR)

    def pause_reading(self) -> None:
        """Let the client wait."""
        self._stream.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._stream.resume_reading()

    # --- backlog.Reader ---------------------------------------------------------------------------------------------

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent."""
        return self._stream.get_write_buffer_size()

    @property
    def may_pause(self) -> bool:
        """No."""
        return False

    def let_go(self) -> None:
        """It is too slow."""
        self.abort()

    # ----------------------------------------------------------------------------------------------------------------

    def carry(self, session: Session, waiting: bytes = b"") -> None:
        """Be the transport of `session` from now on, and send it `waiting`."""
        self.upgrade = None
        self.session = session
        session.transport = self
        session.write = self.write
        if waiting:
            self.write(waiting)
        self._set_writer(self.write)  # what was kept while it polled may be due, or more has to wait

    def _write_behind(self, data: bytes, /) -> None:
        self._stream.write(data)
        self._shared.backlog.grew(self, len(data))

    def _set_writer(self, write: Callable[[bytes], None]) -> None:
        self.write = write
        if self.session is not None and not self.session.closed:
            self.session.write = write
            if self.unsent:
                self.session.fall_behind(self._shared.backlog)
            else:
                self.session.catch_up()

    def _ended(self, reason: str) -> None:
        self._state = _DISCARDING
        self.write = self._stream.write  # not a method of its own: it would keep itself alive until a collection
        self._shared.backlog.remove(self)
        if self._parser is not None:
            self._parser.stop()
            self._parser = None
        upgrade, self.upgrade = self.upgrade, None
        if upgrade is not None:
            upgrade.give_up()
        session, self.session = self.session, None
        if session is not None:
            session.end(reason)
