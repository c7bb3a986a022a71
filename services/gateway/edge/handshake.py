"""The opening handshake of a WebSocket (RFC 6455, section 4.2), after which the socket leaves aiohttp."""

import base64
import hashlib
from typing import Final

from aiohttp import hdrs, web

from services.gateway.edge.shared import Shared
from services.gateway.edge.websocket import WebSocket

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERSION: Final = "13"


def is_requested(request: web.Request) -> bool:
    """Whether `request` wants to become a WebSocket."""
    connection = request.headers.get(hdrs.CONNECTION, "").lower()
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket" and "upgrade" in connection


def check(request: web.Request) -> str:
    """The client's key. Raises `HTTPBadRequest`, or `HTTPUpgradeRequired` for another version of the protocol."""
    if not is_requested(request):
        raise web.HTTPBadRequest(reason="send Upgrade: websocket and Connection: Upgrade")
    if request.headers.get(hdrs.SEC_WEBSOCKET_VERSION) != _VERSION:
        headers = {hdrs.SEC_WEBSOCKET_VERSION: _VERSION, hdrs.UPGRADE: "websocket"}
        raise web.HTTPUpgradeRequired(reason=f"the WebSocket version is {_VERSION}", headers=headers)
    key = request.headers.get(hdrs.SEC_WEBSOCKET_KEY, "")
    try:
        nonce = base64.b64decode(key, validate=True)
    except ValueError:  # not base64, or not even ASCII
        nonce = b""
    if len(nonce) != 16:
        raise web.HTTPBadRequest(reason="Sec-WebSocket-Key is not 16 bytes in base64")
    return key


def take_over(request: web.Request, key: str, shared: Shared, first: bytes = b"") -> tuple[WebSocket, bytes]:
    """Answer with `first` behind the response; the WebSocket, and what its client sent before that.

    The request is over then: its handler must end by raising `asyncio.CancelledError`. Raises `ConnectionError` when
    the client has gone.
    """
    handler, stream = request.protocol, request.transport
    if stream is None or stream.is_closing():
        raise ConnectionResetError
    accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    websocket = WebSocket(shared, stream)
    stream.set_protocol(websocket)
    stream.write(head + accept + b"\r\n\r\n" + first)
    early = handler._message_tail  # noqa: SLF001 - what came behind the request
    # aiohttp would close the connection with its request; so it is told that there is none any more.
    handler.transport = None
    handler.connection_lost(None)
    stream.resume_reading()
    if stream.get_write_buffer_size():
        # aiohttp's answers to what came before the request wait to be read. Only aiohttp was told of that.
        websocket.pause_writing()
    return websocket, early
