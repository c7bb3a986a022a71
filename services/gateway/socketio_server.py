"""python-socketio, extended at a few seams. Whoever upgrades it looks here.

It serves both transports, the Engine.IO handshake, upgrades, heartbeats, and the Socket.IO CONNECT and DISCONNECT
packets. Everything else that a client sends goes to `Packets.received`, so that a client cannot name the server's
own `connect` and `disconnect` handlers, and nothing malformed reaches a handler.
"""

import logging
from typing import Any, Final, Protocol

import socketio
from aiohttp import web
from engineio.async_drivers import aiohttp as engineio_aiohttp

from services.gateway.engineio_socket import Socket

_PAYLOAD_MOST_BYTES: Final = 64 * 1024


class Packets(Protocol):
    """What is done with connections and packets."""

    def opened(self, eio_sid: str) -> None:
        """A transport is open; nobody has said who they are."""

    async def received(self, eio_sid: str, data: str | bytes) -> None:
        """A Socket.IO packet came."""

    def greeted(self, eio_sid: str) -> None:
        """The answer to a CONNECT packet, good or bad, has been sent."""


class Server(socketio.AsyncServer):  # type: ignore[misc] # python-socketio is not typed
    """Serves the default namespace."""

    def __init__(self, packets: Packets, *, transports: tuple[str, ...], allowed_origins: tuple[str, ...]) -> None:
        # Their INFO lines carry whole packets, and their ERROR lines a traceback for whatever a stranger sends: what
        # comes of a packet is counted where it is handled.
        quiet = logging.getLogger("socketio")
        quiet.setLevel(logging.CRITICAL)
        super().__init__(
            async_mode="aiohttp",
            logger=quiet,
            engineio_logger=quiet,
            transports=list(transports),
            cors_allowed_origins=_OriginCheck(allowed_origins),
            max_http_buffer_size=_PAYLOAD_MOST_BYTES,
            http_compression=False,
        )
        self.eio._async = {**self.eio._async, "websocket": _Uncompressed}  # noqa: SLF001
        self._packets = packets

    async def handle_control(self, eio_sid: str, data: str) -> None:
        """Let python-socketio handle a CONNECT or DISCONNECT packet; raises what it raises for a malformed one."""
        await super()._handle_eio_message(eio_sid, data)

    async def close_connection(self, eio_sid: str) -> None:
        """Close a connection for good: its client is told so, and does not come back by itself."""
        socket = self.eio.sockets.pop(eio_sid, None)
        if socket is not None:
            await socket.close(wait=False)
            # What python-engineio leaves to the client's goodwill: the writer ends, and closes the WebSocket.
            socket.queue.put_nowait(None)

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        self.eio.sockets[eio_sid].__class__ = Socket
        await super()._handle_eio_connect(eio_sid, environ)
        self._packets.opened(eio_sid)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None and reason == self.eio.reason.CLIENT_DISCONNECT:
            # A client that polls waits for its last poll to be answered before it is done.
            socket.queue.put_nowait(None)

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        await self._packets.received(eio_sid, data)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: object) -> None:
        await super()._handle_connect(eio_sid, namespace, data)
        self._packets.greeted(eio_sid)


class _OriginCheck:
    """Same host, or on the list. Nothing that a proxy or an attacker may forward has a say."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._allowed = frozenset(allowed)

    def __call__(self, origin: str | None, environ: dict[str, Any]) -> bool:
        """Whether a page of `origin` may connect."""
        if origin is None:
            return False
        host = origin.partition("://")[2]
        return origin in self._allowed or (host != "" and host == environ.get("HTTP_HOST"))


class _Uncompressed(engineio_aiohttp.WebSocket):  # type: ignore[misc] # not typed
    """permessage-deflate off: aiohttp offers it by default, at about 100 KiB a connection."""

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        self._sock = web.WebSocketResponse(max_msg_size=self.server.max_http_buffer_size, compress=False)
        await self._sock.prepare(environ["aiohttp.request"])
        self.environ = environ
        await self.handler(self)
        return self._sock
