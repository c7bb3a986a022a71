"""A TCP proxy that does to a connection what networks and servers do."""

import asyncio
import math
from asyncio import StreamReader, StreamWriter
from typing import Self

from deploy.local.ports import HOST


class Proxy:
    """Passes bytes on between its port and `port`; can swallow what either side says, say something, or cut."""

    def __init__(self, port: int) -> None:
        self._target: int | None = port
        self._passes: float = math.inf
        self._server: asyncio.Server | None = None
        self._clients: set[StreamWriter] = set()
        self._swallowed: set[StreamWriter] = set()
        self._muted: set[StreamWriter] = set()

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
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close, with all connections."""
        assert self._server is not None
        self._server.close()
        for each in self._clients:
            each.close()

    def swallow(self) -> None:
        """From now on, the connections that are open hear nothing from the server; new ones do."""
        self._swallowed |= self._clients

    def mute(self) -> None:
        """From now on, the server hears nothing on the connections that are open; on new ones it does."""
        self._muted |= self._clients

    def point_at(self, port: int) -> None:
        """Connections that are made from now on lead to `port`."""
        self._target = port

    def say(self, data: bytes) -> None:
        """Send `data` to every client, as if the server did."""
        for each in self._clients:
            each.write(data)

    def lead_to(self, port: int | None, *, passing: float = math.inf) -> None:
        """Cut all connections; new ones lead to `port` (None: nowhere), each until `passing` bytes came from it."""
        self._target, self._passes = port, passing
        for each in self._clients:
            each.transport.abort()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._target is None:
            writer.transport.abort()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection(HOST, self._target)
        except OSError:  # it is gone
            writer.transport.abort()
            return
        self._clients.add(writer)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass(reader, server_writer, writer))
                tasks.create_task(self._pass(server_reader, writer, writer))
        finally:
            self._clients.discard(writer)
            self._swallowed.discard(writer)
            self._muted.discard(writer)
            writer.close()
            server_writer.close()

    async def _pass(self, source: StreamReader, target: StreamWriter, client: StreamWriter) -> None:
        left = self._passes if target is client else math.inf
        try:
            while left and (data := await source.read(1 << 16 if math.isinf(left) else int(min(left, 1 << 16)))):
                left -= len(data)
                lost = self._swallowed if target is client else self._muted
                if client not in lost:
                    target.write(data)
        except OSError:
            pass
        finally:
            target.close()
