"""What Engine.IO answers over HTTP."""

from typing import Final

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


def payload(packets: str, request: web.Request) -> web.Response:
    """Packets for the client; nothing between it and us may keep them."""
    headers = {hdrs.CACHE_CONTROL: "no-store", **Origins.response_headers(request)}
    return web.Response(text=packets, headers=headers)


def taken(request: web.Request) -> web.Response:
    """The client's packets were taken."""
    return web.Response(text="ok", content_type="text/html", headers=Origins.response_headers(request))
