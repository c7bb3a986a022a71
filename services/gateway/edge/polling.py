"""HTTP long polling as the transport of a session: what is sent waits in a queue until the client asks for it."""

import asyncio
from collections import deque
from typing import Final

from services.gateway.edge import frames, metrics, payload
from services.gateway.edge.backlog import Backlog
from services.gateway.edge.session import Reason, Session
from services.gateway.edge.upgrade import Upgrade

PACKETS_A_POLL: Final = 16
"""The Python client refuses a payload with more."""


class DuplicatePollError(Exception):
    """A client polls while it polls, or before it has read what the last poll was answered."""


class Polling:
    """Carries `session`."""

    __slots__ = (
        "_answering",
        "_backlog",
        "_closing",
        "_paused",
        "_poll",
        "_queue",
        "_unsent",
        "lingers",
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
        self._answering: asyncio.Transport | None = None
        """The HTTP connection that an answer is on its way on."""
        self._paused: asyncio.Future[None] | None = None
        self._closing = False
        self.lingers = False
        """Whether its client may still fetch what is queued once it is closed."""
        self.posting = False
        """Whether a request with packets is under way: there is one at a time, so what it may hold is bounded."""
        self.session: Session | None = None
        self.upgrade: Upgrade | None = None
        """The WebSocket that wants to take over, if one does."""
        self.upgrading = False
        """Whether a WebSocket is about to take over: polls are answered at once, so that the client can stop."""

    async def poll(self) -> str:
        """The next payload: waits until there is something to say. Raises `DuplicatePollError`."""
        if self._poll is not None or self._answering is not None:
            raise DuplicatePollError
        if not self._queue and not self._closing and not self.upgrading:
            self._poll = asyncio.get_running_loop().create_future()
            try:
                await self._poll
            finally:
                self._poll = None
        return self._take()

    def begin_answer(self, stream: asyncio.Transport) -> None:
        """The payload is sent on `stream`: what waits there counts as unsent until `end_answer`."""
        self._answering = stream

    def end_answer(self) -> None:
        """The client has taken all of it, or has gone."""
        self._answering = None
        self.count()

    def count(self) -> None:
        """Be watched for what waits now, if anything does."""
        self._backlog.remove(self)
        if self.unsent:
            self._backlog.add(self)

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

    # --- transport.Transport ----------------------------------------------------------------------------------------

    def write(self, data: bytes, /) -> None:
        """Queue what is in `data`."""
        if self._closing:
            return
        is_first, before = not self.unsent, self._unsent
        for packet in frames.packets(data):
            self._queue.append(packet)
            self._unsent += payload.size(packet)
        if len(self._queue) > PACKETS_A_POLL and self.session is not None:
            self.session.fall_behind(self._backlog)
        if self._poll is not None:
            self._wake()
        elif is_first:
            self._backlog.add(self)
        else:
            self._backlog.grew(self, self._unsent - before)

    def close(self, last: bytes, _code: int) -> None:
        """Let whoever polls have what is queued, and then `last`; if it lingers, whoever polls next, too."""
        # Not a CLOSE packet by itself, after which the Python client would not come back.
        if not last:
            metrics.sent(1, len(frames.NOOP))
        self.write(last or frames.NOOP)
        self._end()

    def abort(self) -> None:
        """End the poll that waits, with nothing of what is queued, or the answer that is not taken."""
        self._drop()
        if self._answering is not None:
            self._answering.abort()
            self._answering = None
        self._end()

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
        """Bytes that wait for the next poll, or to be read by whoever made the last one."""
        return self._unsent + (0 if self._answering is None else self._answering.get_write_buffer_size())

    @property
    def may_pause(self) -> bool:
        """Between two polls, for as long as its heart beats."""
        return self._answering is None

    def let_go(self) -> None:
        """It does not poll, or too seldom, or does not read what it is answered."""
        if self.session is not None and self.session.transport is self:
            self.session.end(Reason.TRANSPORT_ERROR)
        self.abort()

    def _take(self) -> str:
        # JavaScript's client drops what comes together with a CLOSE: the last packet gets a poll of its own.
        last = 1 if self.lingers and len(self._queue) > 1 else 0
        taken = [self._queue.popleft() for _ in range(min(len(self._queue) - last, PACKETS_A_POLL))]
        self._unsent -= sum(map(payload.size, taken))
        if self._closing and not self.lingers:
            self._drop()
        self.count()
        if not self._queue and self.session is not None:
            self.session.catch_up()
        if not taken:
            metrics.sent(1, len(frames.NOOP))
        return payload.encode(taken) or "6"

    def _end(self) -> None:
        self._closing = True
        if self._poll is None and not self.lingers:
            self._drop()
        self.count()
        self.resume_reading()
        self._wake()

    def _drop(self) -> None:
        self._queue.clear()
        self._unsent = 0

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
