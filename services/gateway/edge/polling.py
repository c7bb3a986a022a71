"""HTTP long polling as the transport of a session: what is sent waits in a queue until the client asks for it."""

import asyncio
import base64
from collections import deque
from typing import Final

from services.gateway.edge import frames
from services.gateway.edge.backlog import Backlog
from services.gateway.edge.session import Reason, Session
from services.gateway.edge.upgrade import Upgrade

PACKETS_A_POLL: Final = 16
"""The Python client refuses a payload with more."""

_SEPARATOR: Final = "\x1e"


class DuplicatePollError(Exception):
    """A client polls while it polls."""


class Polling:
    """Carries `session`."""

    __slots__ = (
        "_backlog",
        "_closing",
        "_paused",
        "_poll",
        "_queue",
        "_unsent",
        "posting",
        "session",
        "upgrade",
        "upgrading",
    )

    name = "polling"

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._queue: deque[str | bytes] = deque()
        self._unsent = 0
        self._poll: asyncio.Future[None] | None = None
        self._paused: asyncio.Future[None] | None = None
        self._closing = False
        self.posting = False
        """Whether a request with packets is under way: there is one at a time, so what it may hold is bounded."""
        self.session: Session | None = None
        self.upgrade: Upgrade | None = None
        """The WebSocket that wants to take over, if one does."""
        self.upgrading = False
        """Whether a WebSocket is about to take over: polls are answered at once, so that the client can stop."""

    async def poll(self) -> str:
        """The next payload: waits until there is something to say. Raises `DuplicatePollError`."""
        if self._poll is not None:
            raise DuplicatePollError
        if not self._queue and not self._closing and not self.upgrading:
            self._poll = asyncio.get_running_loop().create_future()
            try:
                await self._poll
            finally:
                self._poll = None
        return self._take()

    async def ready(self) -> None:
        """Wait until packets are taken from the client."""
        while self._paused is not None:
            await asyncio.shield(self._paused)

    def hand_over(self) -> bytes:
        """What is still queued, as frames; whoever polls is told to stop."""
        waiting = b"".join(
            frames.binary(each) if isinstance(each, bytes) else frames.text(each.encode()) for each in self._queue
        )
        self._queue.clear()
        self.upgrading = True
        self._end()
        return waiting

    def prepare_upgrade(self) -> None:
        """A WebSocket is about to take over."""
        self.upgrading = True
        self._wake()

    def upgrade_failed(self) -> None:
        """It will not: go on."""
        self.upgrade = None
        self.upgrading = False

    # --- session.Transport ------------------------------------------------------------------------------------------

    def write(self, data: bytes, /) -> None:
        """Queue what is in `data`."""
        if self._closing:
            return
        is_first = not self._queue
        before = self._unsent
        for packet in frames.packets(data):
            self._queue.append(packet)
            self._unsent += _size(packet)
        if self._poll is not None:
            self._wake()
        elif is_first:
            self._backlog.add(self)
        else:
            self._backlog.grew(self, self._unsent - before)

    def close(self, last: bytes, _code: int) -> None:
        """Let whoever polls have what is queued, and then `last`; the next poll finds that it is over.

        Not a CLOSE packet by itself, after which the Python client would not come back.
        """
        self.write(last or frames.NOOP)
        self._end()

    def abort(self) -> None:
        """End the poll that waits, with nothing of what is queued."""
        self._queue.clear()
        self._unsent = 0
        self.close(b"", 0)

    def pause_reading(self) -> None:
        """Let the client wait for the answer to what it sends."""
        if self._paused is None:  # a request may be waiting for the one that is there
            self._paused = asyncio.get_running_loop().create_future()

    def resume_reading(self) -> None:
        """Take packets again."""
        if self._paused is not None:
            self._paused.set_result(None)
            self._paused = None

    # --- backlog.Reader ---------------------------------------------------------------------------------------------

    @property
    def unsent(self) -> int:
        """Bytes that wait for the next poll."""
        return self._unsent

    @property
    def may_pause(self) -> bool:
        """Between two polls, for as long as its heart beats."""
        return True

    def let_go(self) -> None:
        """It does not poll, or too seldom."""
        if self.session is not None:
            self.session.abort(Reason.TRANSPORT_ERROR)

    # ----------------------------------------------------------------------------------------------------------------

    def _take(self) -> str:
        count = min(len(self._queue), PACKETS_A_POLL)
        taken = [self._queue.popleft() for _ in range(count)]
        if self._queue:
            self._unsent -= sum(map(_size, taken))
            if not self._closing:
                self._backlog.add(self)  # it may not be there: a poll that waited took the first of many
        else:
            self._unsent = 0
            self._backlog.remove(self)
        return _SEPARATOR.join(map(_encoded, taken)) or "6"

    def _end(self) -> None:
        self._closing = True
        self._backlog.remove(self)
        self.resume_reading()
        self._wake()

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)


def decode(payload: str) -> list[str | bytes]:
    """The packets of a payload; raises `ValueError` for what is none."""
    return [
        base64.b64decode(each[1:], validate=True) if each.startswith("b") else each
        for each in payload.split(_SEPARATOR)
    ]


def _size(packet: str | bytes) -> int:
    return len(packet) if isinstance(packet, bytes) or packet.isascii() else len(packet.encode())


def _encoded(packet: str | bytes) -> str:
    return packet if isinstance(packet, str) else "b" + base64.b64encode(packet).decode()
