"""Publishing by HTTP, for servers whose clients only listen."""

import asyncio
from collections import deque
from typing import Any, Final, Self

from deploy.local.ports import HOST
from loadtests.bench.audience import Audience
from loadtests.bench.flow import body

_PACKET: Final = '42["message",{{"room":"{room}","id":"m1","body":"{body}"}}]'
"""As many bytes as Node's Socket.IO sends for it."""


class _Poster(asyncio.Protocol):
    """One HTTP connection that is kept, with one request on its way at a time."""

    def __init__(self, free: deque["_Poster"], waiting: deque[bytes]) -> None:
        self.transport: Any = None
        self._free = free
        self._waiting = waiting

    def connection_made(self, transport: Any) -> None:
        """Free for the first request."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """An answer: any, for what counts is what the listeners get."""
        if not data.startswith(b"HTTP/1.1 2"):
            return
        if self._waiting:
            self.transport.write(self._waiting.popleft())
        else:
            self._free.append(self)


class Posts:
    """See `flow.Speech`. A context manager that holds `connections` HTTP connections."""

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._count = connections
        self._all: list[_Poster] = []
        self._free: deque[_Poster] = deque()
        self._waiting: deque[bytes] = deque()

    async def __aenter__(self) -> Self:
        """Connect."""
        loop = asyncio.get_running_loop()
        for _ in range(self._count):
            _, poster = await loop.create_connection(lambda: _Poster(self._free, self._waiting), HOST, self._port)
            self._all.append(poster)
        self._free.extend(self._all)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        for each in self._all:
            each.transport.close()

    def say(self, audience: Audience) -> None:
        """See `flow.Speech`."""
        content = _PACKET.format(room=audience.room, body=body()).encode()
        head = f"POST /pub/{audience.room} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(content)}\r\n\r\n"
        audience.say()
        request = head.encode() + content
        if self._free:
            self._free.popleft().transport.write(request)
        else:
            self._waiting.append(request)
