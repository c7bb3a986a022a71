"""The raw client: a WebSocket connection that costs next to nothing, as a member of a room.

A `Talker` reads every packet. A `Listener` takes a connection over from it and only counts. All connections of the
process read into one buffer, which is valid until the call that announces the bytes returns.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from loadtests.bench.audience import Audience

BUFFER: Final = bytearray(256 * 1024)
"""What was read last, by whichever connection."""
_VIEW: Final = memoryview(BUFFER)

OnLost = Callable[["Member"], None]


class ClientError(Exception):
    """A server refused, or closed, or answered what it must not."""


class Member(asyncio.BufferedProtocol):
    """One connection, as a member of a room: where it reads, what it has heard, and how it ends."""

    __slots__ = ("audience", "heard", "lost", "on_lost", "transport")

    def __init__(self, on_lost: OnLost) -> None:
        self.transport: asyncio.Transport | None = None
        self.audience: Audience | None = None
        self.heard = 0
        self.on_lost = on_lost
        self.lost = False

    def get_buffer(self, _hint: int) -> memoryview:
        """One for all: nothing runs between the read and `buffer_updated`."""
        return _VIEW

    def hear(self, count: int) -> None:
        """`count` more messages have come."""
        before = self.heard
        self.heard = before + count
        if self.audience is not None:
            self.audience.moved(before, before + count)

    def write(self, frame: bytes) -> None:
        """Send a frame; on a lost connection, nothing."""
        if self.transport is not None and not self.lost:
            self.transport.write(frame)

    def close(self) -> None:
        """Close the TCP connection, as a client that vanishes does."""
        if self.transport is not None:
            self.transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is gone."""
        self.lost = True
        self.on_lost(self)
