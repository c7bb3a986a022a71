"""A connection: where it reads, how it writes, and how it ends.

All connections of a process read into one buffer, which is valid until the call that announces the bytes returns.
"""

import asyncio
from collections.abc import Callable
from typing import Final

BUFFER: Final = bytearray(256 * 1024)
"""What was read last, by whichever connection."""
_VIEW: Final = memoryview(BUFFER)

OnLost = Callable[["Connection"], None]


class ClientError(Exception):
    """A server refused, or closed, or answered what it must not."""

    def __init__(self, text: str, reason: bytes = b"") -> None:
        super().__init__(text)
        self.reason = reason
        """What it said, if it refused: the head of its answer, or a packet."""


class Connection(asyncio.BufferedProtocol):
    """One of them. `on_lost` is called once it is gone, whoever ended it."""

    __slots__ = ("lost", "on_lost", "transport")

    def __init__(self, on_lost: OnLost) -> None:
        self.transport: asyncio.Transport | None = None
        self.on_lost = on_lost
        self.lost = False

    def get_buffer(self, _hint: int) -> memoryview:
        """One for all: nothing runs between the read and `buffer_updated`."""
        return _VIEW

    def write(self, frame: bytes) -> None:
        """Send a frame; on a lost connection, nothing."""
        if self.transport is not None and not self.lost:
            self.transport.write(frame)

    def close(self) -> None:
        """Close the TCP connection, as a client that vanishes does."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """The same, also when the other side takes nothing any more of what was written to it."""
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is gone."""
        self.lost = True
        self.on_lost(self)
