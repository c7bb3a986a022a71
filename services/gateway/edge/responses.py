"""What Engine.IO answers over HTTP."""

import math
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from services.gateway.edge.origins import Origins

Refusal = tuple[int, str]
"""A code of the Engine.IO protocol, and what it stands for."""

NO_TRANSPORT: Final = (0, "Transport unknown")
NO_SESSION: Final = (1, "Session ID unknown")
BAD_METHOD: Final = (2, "Bad handshake method")
BAD_REQUEST: Final = (3, "Bad request")
FORBIDDEN: Final = (4, "Forbidden")
BAD_VERSION: Final = (5, "Unsupported protocol version")


def refused(refusal: Refusal, request: web.Request) -> web.Response:
    """Nothing was done; a page whose origin is not admitted cannot read why."""
    code, message = refusal
    headers = Origins.response_headers(request) if refusal is not FORBIDDEN else {}
    return web.json_response({"code": code, "message": message}, status=400, headers=headers)


class Later(NamedTuple):
    """Why there is no room for a client now, and when to try again."""

    status: int
    message: str
    retry_after: float
    """Seconds."""


def later(later: Later, request: web.Request) -> web.Response:
    """Nothing was done; the official clients come back by themselves, others by Retry-After."""
    headers = {hdrs.RETRY_AFTER: str(math.ceil(later.retry_after)), **Origins.response_headers(request)}
    response = web.json_response({"message": later.message}, status=later.status, headers=headers)
    response.force_close()
    return response


def payload(packets: str, request: web.Request) -> web.Response:
    """Packets for the client; nothing between it and us may keep them."""
    headers = {hdrs.CACHE_CONTROL: "no-store", **Origins.response_headers(request)}
    return web.Response(text=packets, headers=headers)


def taken(request: web.Request) -> web.Response:
    """The client's packets were taken."""
    return web.Response(text="ok", content_type="text/html", headers=Origins.response_headers(request))
