"""Peers that do not behave, at the level of bytes and of packets."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self

import aiohttp

from tests.conformance.raw import TEXT, frame
from tests.conformance.server import HOST
from tests.guards.target import Target

_SECONDS: Final = 15.0

HANDSHAKE: Final = (
    "GET /socket.io/?EIO=4&transport=websocket{more} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Raw:
    """A TCP connection. Within `async with`."""

    def __init__(self, target: Target, *, receives: int | None = None) -> None:
        self.target = target
        self._receives = receives
        """Bytes of the receive buffer: few, for a slow reader."""

    async def __aenter__(self) -> Self:
        """Connect."""
        plain = socket.socket()
        plain.setblocking(False)
        if self._receives is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receives)
        await asyncio.get_running_loop().sock_connect(plain, (HOST, self.target.port))
        self.reader, self.writer = await asyncio.open_connection(sock=plain, limit=1024)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def send(self, data: bytes | str) -> None:
        """Send bytes."""
        self.writer.write(data.encode() if isinstance(data, str) else data)

    def packet(self, text: str) -> None:
        """Send an Engine.IO packet over a WebSocket."""
        self.send(frame(TEXT, text.encode()))

    async def until(self, what: bytes) -> bytes:
        """Read until `what` comes. Raises `EOFError` or `TimeoutError` when it does not."""
        read = b""
        async with asyncio.timeout(_SECONDS):
            while what not in read:
                data = await self.reader.read(1024)
                if not data:
                    raise EOFError(read)
                read += data
        return read

    async def ends(self) -> bool:
        """Whether the server ends the connection, or at least its WebSocket, before patience does."""
        read = b""
        try:
            async with asyncio.timeout(self.target.patience):
                while data := await self.reader.read(1 << 16):
                    read += data
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    async def drips(self, byte: bytes) -> bool:
        """Whether the server ends the connection while it gets a byte each 50 ms."""
        ended = asyncio.ensure_future(self.ends())
        while not ended.done():
            self.send(byte)
            await asyncio.wait([ended], timeout=0.05)
        return await ended


@asynccontextmanager
async def websocket(
    target: Target, *, connected: bool = True, sid: str = "", slow: bool = False
) -> AsyncIterator[Raw]:
    """A WebSocket, on a session of its own that is in the namespace unless told otherwise."""
    async with Raw(target, receives=4096 if slow else None) as peer:
        peer.send(HANDSHAKE.format(more=f"&sid={sid}" if sid else ""))
        if sid:
            await peer.until(b"\r\n\r\n")
        else:
            await peer.until(b'"sid"')
        if connected:
            peer.packet("40")
            await peer.until(b"40{")
        yield peer


class Polling:
    """A session on polling."""

    def __init__(self, target: Target, http: aiohttp.ClientSession, sid: str) -> None:
        self.target = target
        self.sid = sid
        self.url = f"{target.url}polling&sid={sid}"
        self._http = http

    async def post(self, data: str, **headers: str) -> int:
        """Send packets; the status, or 0 when nobody answers."""
        try:
            async with (
                asyncio.timeout(self.target.patience),
                self._http.post(self.url, data=data, headers=headers) as response,
            ):
                return response.status
        except TimeoutError:
            return 0

    async def poll(self) -> tuple[int, str]:
        """Ask for packets; the status, and what came. 0 when nobody answers."""
        try:
            async with asyncio.timeout(self.target.patience), self._http.get(self.url) as response:
                return response.status, await response.text()
        except TimeoutError:
            return 0, ""


@asynccontextmanager
async def polling(target: Target) -> AsyncIterator[Polling]:
    """A session on polling that is in the namespace."""
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{target.url}polling") as response:
            opened = Polling(target, http, json.loads((await response.text())[1:])["sid"])
        await opened.post("40")
        async with http.get(opened.url) as response:
            if "40{" not in await response.text():
                raise EOFError
        yield opened
