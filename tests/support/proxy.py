"""A TCP proxy that does to connections what networks, servers and balancers do."""

import asyncio
import math
import random
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Self

from deploy.local.ports import HOST

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER that makes closing a reset."""
_TICK_SECONDS: Final = 0.1
"""How often something passes while a proxy is slow."""


class Proxy:
    """Passes bytes on between its port and one of `ports`: whichever accepts, tried in random order.

    `buffer` bounds what the system keeps of what a client does not read; a reader that stops then shows soon.
    `rng` may be replaced by one that has a seed.
    """

    def __init__(self, *ports: int, buffer: int = 0) -> None:
        self.rng = random.Random()
        self._targets = ports
        self._passing: float = math.inf
        self._buffer = buffer
        self._server: asyncio.Server | None = None
        self._clients: set[StreamWriter] = set()
        self._swallowed: set[StreamWriter] = set()
        """Of these, what the server says is dropped."""
        self._muted: set[StreamWriter] = set()
        """Of these, what the client says is dropped."""
        self._serving: set[asyncio.Task[None]] = set()
        self._awaited: tuple[bytes, asyncio.Event] | None = None
        self._delay = 0.0
        self._bytes_per_second = 0.0

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._clients)

    async def __aenter__(self) -> Self:
        """Listen."""
        listener = _socket(self._buffer)
        listener.bind((HOST, 0))
        self._server = await asyncio.start_server(self._serve, sock=listener, backlog=4096)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close, with all connections."""
        assert self._server is not None
        self._server.close()
        for each in self._serving:
            each.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    @contextmanager
    def slow(self, *, delay: float = 0, bytes_per_second: float = 0) -> Iterator[None]:
        """Within the block every read is held for `delay` seconds, each way; or only so much passes, each way."""
        self._delay, self._bytes_per_second = delay, bytes_per_second
        try:
            yield
        finally:
            self._delay, self._bytes_per_second = 0, 0

    def swallow(self) -> None:
        """From now on, the connections that are open hear nothing from the server; new ones do."""
        self._swallowed |= self._clients

    def mute(self) -> None:
        """From now on, the server hears nothing on the connections that are open; on new ones it does."""
        self._muted |= self._clients

    def point_at(self, *ports: int, passing: float = math.inf) -> None:
        """Connections that are made from now on lead to one of `ports`, each until `passing` bytes came."""
        self._targets, self._passing = ports, passing

    def lead_to(self, *ports: int, passing: float = math.inf) -> None:
        """Break all connections; where new ones lead, see `point_at`; without `ports`, nowhere."""
        self.point_at(*ports, passing=passing)
        self.reset()

    async def sees(self, data: bytes) -> None:
        """Wait until a client sends `data`; neither that nor anything after it gets through on its connection."""
        seen = asyncio.Event()
        self._awaited = data, seen
        try:
            await seen.wait()
        finally:
            self._awaited = None

    def say(self, data: bytes) -> None:
        """Send `data` to every client, as if the server did."""
        for each in self._clients:
            each.write(data)

    def reset(self) -> None:
        """Break all connections at once, without a word."""
        for each in self._clients:
            with suppress(OSError):  # closed already, by its client
                each.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            each.transport.abort()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self._clients.add(writer)
        try:
            await self._connect_and_pass(reader, writer)
        except asyncio.CancelledError:
            return  # by `__aexit__`; asyncio.Server reports a cancelled handler
        finally:
            self._serving.discard(task)
            self._clients.discard(writer)
            self._swallowed.discard(writer)
            self._muted.discard(writer)
            writer.close()

    async def _connect_and_pass(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            server_reader, server_writer = await self._connect()
        except OSError:
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass(reader, server_writer, writer))
                tasks.create_task(self._pass(server_reader, writer, writer))
        finally:
            server_writer.close()

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        for port in self.rng.sample(self._targets, len(self._targets)):
            with suppress(OSError):
                return await self._connect_to(port)
        raise ConnectionRefusedError

    async def _connect_to(self, port: int) -> tuple[StreamReader, StreamWriter]:
        connection = _socket(self._buffer)
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, (HOST, port))
        except BaseException:
            connection.close()
            raise
        return await asyncio.open_connection(sock=connection)

    async def _pass(self, source: StreamReader, target: StreamWriter, client: StreamWriter) -> None:
        left = self._passing if target is client else math.inf
        try:
            while data := await source.read(int(min(left, self._bytes_per_second * _TICK_SECONDS or 1 << 16))):
                left -= len(data)
                if self._delay or self._bytes_per_second:
                    await asyncio.sleep(self._delay + (_TICK_SECONDS if self._bytes_per_second else 0))
                if target is not client and self._awaited is not None and self._awaited[0] in data:
                    self._awaited[1].set()
                    self._awaited = None
                    self._muted.add(client)
                if client in (self._swallowed if target is client else self._muted):
                    continue
                if target.is_closing():
                    break  # the other direction has ended
                target.write(data)
                await target.drain()
        except OSError:
            pass
        finally:
            target.close()


def _socket(buffer: int) -> socket.socket:
    made = socket.socket()
    if buffer:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    return made
