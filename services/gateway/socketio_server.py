"""python-socketio, extended at four seams. Whoever upgrades it looks here.

It serves both transports, the Engine.IO handshake, upgrades, heartbeats, and the Socket.IO CONNECT and DISCONNECT
packets. Everything else that a client sends goes to `Packets.received`, so that a client cannot name the server's
own `connect` and `disconnect` handlers, and nothing malformed reaches a handler.
"""

import logging
from typing import Any, Final, Protocol

import socketio
from aiohttp import web
from engineio.async_drivers import aiohttp as engineio_aiohttp

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
        # Their INFO lines carry whole packets.
        quiet = logging.getLogger("socketio")
        quiet.setLevel(logging.ERROR)
        super().__init__(
            async_mode="aiohttp",
            logger=quiet,
            engineio_logger=quiet,
            transports=list(transports),
            # None: same origin only. (An empty list would switch the check off.)
            cors_allowed_origins=list(allowed_origins) or None,
            max_http_buffer_size=_PAYLOAD_MOST_BYTES,
            http_compression=False,
        )
        self.eio._async = {**self.eio._async, "websocket": _Uncompressed}  # noqa: SLF001
        self._packets = packets

    async def handle_control(self, eio_sid: str, data: str) -> None:
        """Let python-socketio handle a CONNECT or DISCONNECT packet; raises what it raises for a malformed one."""
        await super()._handle_eio_message(eio_sid, data)

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        self._packets.opened(eio_sid)

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        await self._packets.received(eio_sid, data)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: object) -> None:
        await super()._handle_connect(eio_sid, namespace, data)
        self._packets.greeted(eio_sid)


class _Uncompressed(engineio_aiohttp.WebSocket):  # type: ignore[misc] # not typed
    """permessage-deflate off: aiohttp offers it by default, at about 100 KiB a connection."""

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        self._sock = web.WebSocketResponse(max_msg_size=self.server.max_http_buffer_size, compress=False)
        await self._sock.prepare(environ["aiohttp.request"])
        self.environ = environ
        await self.handler(self)
        return self._sock
