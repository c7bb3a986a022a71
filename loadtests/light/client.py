"""A connection that reads every packet, and speaks Socket.IO."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from loadtests.light.connection import BUFFER, ClientError, Connection, OnLost
from loadtests.light.frames import CLOSE_FRAME, PONG, client_frame, split

_EVENT: Final = b"42["
_ACK: Final = b"43"
_CONNECTED: Final = b"40"
_ENDS: Final = (b"1", b"41")
"""Engine.IO CLOSE, Socket.IO DISCONNECT."""
_REFUSED: Final = b"44"

OnAck = Callable[[bytes], None]


class Client(Connection):
    """Opens the connection, reads every packet, and sends events that are acknowledged.

    `ready` is done once the server has admitted it, and fails with `ClientError` otherwise. `greeting` is the
    Socket.IO CONNECT packet that follows the WebSocket handshake; None for a server that only speaks WebSocket.
    It answers pings, and closes when the server says that it ends.
    """

    __slots__ = ("_acks", "_greeting", "_next", "_request", "_rest", "_upgraded", "ready")

    def __init__(self, request: bytes, greeting: bytes | None, on_lost: OnLost) -> None:
        super().__init__(on_lost)
        self._request = request
        self._greeting = greeting
        self._rest = b""
        self._upgraded = False
        self._next = 0
        self._acks: dict[int, OnAck] = {}
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Ask for the upgrade."""
        self.transport = transport
        transport.write(self._request)

    def buffer_updated(self, size: int) -> None:
        """Read every whole packet; keep the rest."""
        data = self._rest + BUFFER[:size]
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
        if self._rest.startswith(CLOSE_FRAME):
            self.close()

    def on_event(self, packet: bytes) -> None:
        """An event came; here nobody wants to know."""

    def emit(self, event: str, payload: bytes, on_ack: OnAck) -> None:
        """Send an event with a JSON payload; `on_ack` gets the acknowledgement's JSON."""
        number = self._next = self._next + 1
        self._acks[number] = on_ack
        self.write(client_frame(b'42%d["%s",%s]' % (number, event.encode(), payload)))

    @property
    def admitted(self) -> bool:
        """Whether the server has let it in."""
        return self.ready.done() and not self.ready.cancelled() and self.ready.exception() is None

    async def call(self, event: str, payload: bytes) -> bytes:
        """Send an event and wait for a good acknowledgement; raises `ClientError` for any other."""
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.emit(event, payload, future.set_result)
        answer = await future
        if b'"ok":true' not in answer.replace(b" ", b""):
            raise ClientError(f"{event} was answered {answer[:200]!r}")
        return answer

    def connection_lost(self, error: Exception | None) -> None:
        """See `Connection`; a connection that was never admitted fails `ready`."""
        if not self.ready.done():
            self._refuse(b"the connection was closed")
        super().connection_lost(error)

    def _received(self, packet: bytes) -> None:
        if packet.startswith(_EVENT) or self._greeting is None:
            self.on_event(packet)
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
        elif packet in _ENDS:
            self.close()

    def _refuse(self, reason: bytes) -> None:
        if not self.ready.done():
            self.ready.set_exception(ClientError(f"not admitted: {reason[:200].decode(errors='replace')}", reason))
