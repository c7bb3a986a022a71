"""A TCP connection to a gateway, as bytes, as HTTP answers, and as the frames of a WebSocket."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

SECONDS: Final = 30.0
"""For whatever has to come."""


class Answer(NamedTuple):
    """To an HTTP request."""

    status: int
    headers: dict[str, str]
    """With their names in lower case."""
    body: bytes

    @property
    def words(self) -> str:
        """The status, and the code of what was wrong, if the body tells one."""
        with contextlib.suppress(ValueError):
            body = json.loads(self.body)
            if isinstance(body, dict) and "code" in body:
                return f"{self.status} {body['code']}"
        return str(self.status)


class Line:
    """One connection. Reading raises `EOFError` once the gateway has ended it, `TimeoutError` if nothing comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._read = b""

    def send(self, data: str | bytes) -> None:
        """Send bytes; what cannot be sent any more is dropped."""
        if not self._writer.is_closing():
            self._writer.write(data.encode(errors="surrogateescape") if isinstance(data, str) else data)

    async def sent(self) -> None:
        """Wait until the gateway has read most of it, or has ended the connection."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(SECONDS):
                await self._writer.drain()

    def hang_up(self) -> None:
        """Send nothing more."""
        with contextlib.suppress(OSError):
            self._writer.write_eof()

    async def until(self, what: bytes) -> bytes:
        """Everything up to `what`, and that."""
        while what not in self._read:
            await self._more()
        end = self._read.index(what) + len(what)
        return self._take(end)

    async def exactly(self, size: int) -> bytes:
        """So many bytes."""
        while len(self._read) < size:
            await self._more()
        return self._take(size)

    async def rest(self) -> bytes:
        """All until the gateway ends the connection."""
        with contextlib.suppress(EOFError):
            while True:
                await self._more()
        return self._take(len(self._read))

    async def answer(self) -> Answer:
        """An HTTP answer."""
        head = (await self.until(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        status = int(first.split(" ", 2)[1])
        if "content-length" in headers:
            body = await self.exactly(int(headers["content-length"]))
        else:
            body = b"" if status in {100, 101, 204, 304} else await self.rest()
        return Answer(status, headers, body)

    async def frame(self) -> tuple[int, bytes]:
        """A WebSocket frame: its opcode, and its payload."""
        first, size = await self.exactly(2)
        if first & 0x70 or not first & 0x80 or size & 0x80:
            raise AssertionError("a server's frames are whole, unmasked and without extensions")
        if size >= 126:
            size = int.from_bytes(await self.exactly(2 if size == 126 else 8), "big")
        return first & 15, await self.exactly(size)

    async def _more(self) -> None:
        async with asyncio.timeout(SECONDS):
            try:
                data = await self._reader.read(1 << 16)
            except ConnectionError:
                data = b""
        if not data:
            raise EOFError
        self._read += data

    def _take(self, size: int) -> bytes:
        taken, self._read = self._read[:size], self._read[size:]
        return taken

    def abort(self) -> None:
        """End it without a word."""
        self._writer.transport.abort()


@asynccontextmanager
async def line(host: str, port: int, address: str, *, receives: int | None = None) -> AsyncIterator[Line]:
    """A connection from `address`; `receives`: how large the buffer is, small for a slow reader."""
    plain = socket.socket()
    plain.setblocking(False)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receives is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    plain.bind((address, 0))
    try:
        await asyncio.get_running_loop().sock_connect(plain, (host, port))
        reader, writer = await asyncio.open_connection(sock=plain, limit=1 << 10 if receives else 1 << 16)
    except BaseException:
        plain.close()
        raise
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
