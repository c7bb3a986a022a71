"""Clients that say exactly what a test wants them to: HTTP, and WebSockets frame by frame. They block."""

import base64
import http.client
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from tests.conformance.server import HOST

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

_SECONDS: Final = 10.0
_MASK: Final = b"\x11\xa5\x00\xff"


def frame(opcode: int, payload: bytes = b"", *, final: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """A client's frame. `reserved` is the three bits behind the first; not `masked` breaks the protocol."""
    size, mask = len(payload), 0x80 if masked else 0
    head = bytes([final << 7 | reserved << 4 | opcode])
    if size < 126:
        head += bytes([mask | size])
    elif size < 65536:
        head += bytes([mask | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([mask | 127]) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    pad = (_MASK * (size // 4 + 1))[:size]
    return head + _MASK + (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")


def closing(code: int, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


class RefusedError(Exception):
    """The server did not open the WebSocket; `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class WebSocket:
    """One connection. Raises `EOFError` once the server has ended it."""

    def __init__(self, port: int, target: str, headers: dict[str, str] | None = None, *, tail: bytes = b"") -> None:
        # `tail` goes out with the request, before there is an answer to it.
        self.socket = socket.create_connection((HOST, port), _SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""
        fields = {
            "Host": f"{HOST}:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            **(headers or {}),
        }
        head = f"GET {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        try:
            self.send(f"{head}\r\n".encode() + tail)
            while b"\r\n\r\n" not in self._read:
                self._more()
        except BaseException:
            self.socket.close()
            raise
        head_read, self._read = self._read.split(b"\r\n\r\n", 1)
        self.answer = head_read.decode()
        status = int(self.answer.split(" ", 2)[1])
        if status != 101:
            self.socket.close()
            raise RefusedError(status)

    def __enter__(self) -> Self:
        """Nothing: it is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the connection without a word."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def send_text(self, text: str) -> None:
        """Send a text message."""
        self.send(frame(TEXT, text.encode()))

    def send_binary(self, data: bytes) -> None:
        """Send a binary message."""
        self.send(frame(BINARY, data))

    def receive(self) -> tuple[int, bytes]:
        """The opcode and the payload of the next frame."""
        first, size = self._take(2)
        assert first & 0x80, "the server does not fragment"
        assert not first & 0x70, "no extension was agreed on"
        if size >= 126:
            size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
        return first & 15, self._take(size)

    def packet(self) -> str | bytes:
        """The next message that is no ping of Engine.IO."""
        while True:
            opcode, payload = self.receive()
            assert opcode in {TEXT, BINARY}, (opcode, payload)
            if (opcode, payload) != (TEXT, b"2"):
                return payload.decode() if opcode == TEXT else payload

    def refusal(self) -> int:
        """The code of the server's close frame, before which nothing but pings may come; they are answered."""
        while True:
            opcode, payload = self.receive()
            if opcode == CLOSE:
                return int.from_bytes(payload, "big")
            assert (opcode, payload) == (TEXT, b"2")
            self.send_text("3")

    def end(self) -> int | None:
        """Read to the end; the code of the server's close frame, None if none came."""
        code = None
        try:
            while True:
                opcode, payload = self.receive()
                if opcode == CLOSE:
                    code = int.from_bytes(payload[:2], "big")
                    self.socket.shutdown(socket.SHUT_WR)
        except (EOFError, ConnectionError):
            return code

    def _take(self, size: int) -> bytes:
        while len(self._read) < size:
            self._more()
        taken, self._read = self._read[:size], self._read[size:]
        return taken

    def _more(self) -> None:
        data = self.socket.recv(1 << 18)
        if not data:
            raise EOFError
        self._read += data


class Endpoint:
    """An Engine.IO server's address."""

    def __init__(self, port: int, path: str = "/engine.io/") -> None:
        self.port = port
        self.path = path

    def target(self, **query: str) -> str:
        """The request target with this query, and Engine.IO's version."""
        return f"{self.path}?" + "&".join(f"{name}={value}" for name, value in {"EIO": "4", **query}.items() if value)

    def request(self, method: str, body: str | None = None, **query: str) -> tuple[int, str]:
        """Status and body."""
        with self.begun(method, body, **query) as connection:
            response = connection.getresponse()
            return response.status, response.read().decode()

    @contextmanager
    def begun(self, method: str, body: str | None = None, **query: str) -> Iterator[http.client.HTTPConnection]:
        """A request that was sent, and not yet answered; hung up afterwards."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_SECONDS)
        try:
            connection.request(method, self.target(**query), None if body is None else body.encode())
            yield connection
        finally:
            connection.close()

    def open_polling(self) -> "PollingSession":
        """A new session."""
        status, body = self.request("GET", transport="polling")
        assert status == 200, body
        assert body[0] == "0"
        return PollingSession(self, json.loads(body[1:]))

    def open_websocket(self) -> tuple[WebSocket, dict[str, Any]]:
        """A new session, and what the server said of it."""
        websocket = WebSocket(self.port, self.target(transport="websocket"))
        hello = websocket.packet()
        assert isinstance(hello, str)
        assert hello[0] == "0"
        return websocket, json.loads(hello[1:])


class PollingSession:
    """A session on polling."""

    def __init__(self, endpoint: Endpoint, hello: dict[str, Any]) -> None:
        self.endpoint = endpoint
        self.hello = hello
        self.sid: str = hello["sid"]

    def poll(self) -> tuple[int, str]:
        """Ask for packets."""
        return self.endpoint.request("GET", transport="polling", sid=self.sid)

    def is_over(self) -> bool:
        """Whether the server does not know the session any more."""
        return self.poll()[0] == 400

    def post(self, payload: str) -> tuple[int, str]:
        """Send packets."""
        return self.endpoint.request("POST", payload, transport="polling", sid=self.sid)

    def polls(self) -> Any:
        """A poll that has begun, as `Endpoint.begun`."""
        return self.endpoint.begun("GET", transport="polling", sid=self.sid)

    def websocket(self) -> WebSocket:
        """A WebSocket for the same session."""
        return WebSocket(self.endpoint.port, self.endpoint.target(transport="websocket", sid=self.sid))

    def upgraded(self) -> WebSocket:
        """A WebSocket that has taken the session over."""
        websocket = self.websocket()
        websocket.send_text("2probe")
        assert websocket.packet() == "3probe"
        websocket.send_text("5")
        return websocket
