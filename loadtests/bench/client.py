"""The raw client: a WebSocket connection that speaks Socket.IO and costs next to nothing.

A `Talker` reads every packet. A `Listener` takes a connection over from it and only counts. All connections of the
process read into one buffer, which is valid until the call that announces the bytes returns.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from loadtests.bench.audience import Audience
from loadtests.bench.frames import MARK, PONG, PingFinder, client_frame, split

_BUFFER: Final = bytearray(256 * 1024)
_VIEW: Final = memoryview(_BUFFER)

_count: Final = _BUFFER.count
_EVENT: Final = b"42["
_ACK: Final = b"43"
_CONNECTED: Final = b"40"
_REFUSED: Final = b"44"

OnMessage = Callable[[bytes], None]
OnAck = Callable[[bytes], None]
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


class Listener(Member):
    """Counts marks and answers pings; looks at nothing else."""

    __slots__ = ("_pings",)

    def __init__(self, talker: "Talker") -> None:
        super().__init__(talker.on_lost)
        self.audience = talker.audience
        self.heard = talker.heard
        self.lost = talker.lost
        self._pings = PingFinder()
        self.transport = talker.transport
        if self.transport is not None:
            self.transport.set_protocol(self)

    def buffer_updated(self, size: int) -> None:
        """The hot path of every benchmark."""
        count = _count(MARK, 0, size)
        if count:
            before = self.heard
            self.heard = after = before + count
            self.audience.moved(before, after)  # type: ignore[union-attr] # a listener is in a room
        if self._pings.found(_BUFFER, size):
            self.write(PONG)


class Talker(Member):
    """Opens the connection, reads every packet, and sends events that are acknowledged.

    `ready` is done once the server has admitted it, and fails with `ClientError` otherwise. `greeting` is the
    Socket.IO CONNECT packet that follows the WebSocket handshake; None for a server that only speaks WebSocket.
    """

    __slots__ = ("_acks", "_greeting", "_next", "_request", "_rest", "_upgraded", "on_message", "ready")

    def __init__(self, request: bytes, greeting: bytes | None, on_lost: OnLost) -> None:
        super().__init__(on_lost)
        self._request = request
        self._greeting = greeting
        self._rest = b""
        self._upgraded = False
        self._next = 0
        self._acks: dict[int, OnAck] = {}
        self.on_message: OnMessage | None = None
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Ask for the upgrade."""
        self.transport = transport
        transport.write(self._request)

    def buffer_updated(self, size: int) -> None:
        """Read every whole packet; keep the rest."""
        data = self._rest + _BUFFER[:size]
        if not self._upgraded:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = bytes(head)
                return
            if b" 101 " not in head[:16]:
                self._refuse(head[:80])
                return
            self._upgraded = True
            if self._greeting is None:
                self.ready.set_result(None)
        packets, self._rest = split(bytes(data))
        for packet in packets:
            self._received(packet)

    def emit(self, event: str, payload: bytes, on_ack: OnAck) -> None:
        """Send an event with a JSON payload; `on_ack` gets the acknowledgement's JSON."""
        number = self._next = self._next + 1
        self._acks[number] = on_ack
        self.write(client_frame(b'42%d["%s",%s]' % (number, event.encode(), payload)))

    async def call(self, event: str, payload: bytes) -> bytes:
        """Send an event and wait for a good acknowledgement; raises `ClientError` for any other."""
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.emit(event, payload, future.set_result)
        answer = await future
        if b'"ok":true' not in answer.replace(b" ", b""):
            raise ClientError(f"{event} was answered {answer[:200]!r}")
        return answer

    def connection_lost(self, error: Exception | None) -> None:
        """See `Member`; a connection that was never admitted fails `ready`."""
        if not self.ready.done():
            self._refuse(b"the connection was closed")
        super().connection_lost(error)

    def _received(self, packet: bytes) -> None:
        if packet.startswith(_EVENT) or self._greeting is None:
            if MARK in packet:
                self.hear(1)
                if self.on_message is not None:
                    self.on_message(packet)
        elif packet.startswith(_ACK):
            head, _, body = packet.partition(b"[")
            self._acks.pop(int(head[2:]))(body[:-1])
        elif packet == b"2":
            self.write(PONG)
        elif packet.startswith(b"0") and self._greeting is not None:
            self.write(client_frame(self._greeting))
        elif packet.startswith(_CONNECTED):
            if not self.ready.done():
                self.ready.set_result(None)
        elif packet.startswith(_REFUSED):
            self._refuse(packet)

    def _refuse(self, reason: bytes) -> None:
        if not self.ready.done():
            self.ready.set_exception(ClientError(f"not admitted: {reason[:200].decode(errors='replace')}"))
