"""CORS: pages of the origins that may connect may ask the API as well (Fetch, section 3.2).

They bear tokens and send no cookies, so that no answer allows credentials, and none allows everybody. Pages of other
origins are told nothing, and those of the gateway's own host need none of it.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web

from services.gateway.edge.origins import PREFLIGHT_SECONDS, Origins
from wire.headers import TRACEPARENT

_PATHS: Final = ("/api/", "/.well-known/jwks.json")
_HEADERS: Final = f"{hdrs.AUTHORIZATION}, {hdrs.CONTENT_TYPE}, {TRACEPARENT}"


class CrossOrigin:
    """What the pages of `allowed` origins are told; without any, every answer is as it would be without this."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._is_open = bool(allowed)
        self._origins = Origins(allowed)

    @web.middleware
    async def preflights(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer what browsers ask before a request of a listed page; everything else is for `handler`.

        Of a path that is none there is nothing to be told but that.
        """
        if (
            request.method == hdrs.METH_OPTIONS
            and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
            and request.path.startswith(_PATHS)
            and self._origins.lists(request)
            and isinstance(refusal := request.match_info.http_exception, web.HTTPMethodNotAllowed)
        ):
            headers = {
                hdrs.ACCESS_CONTROL_ALLOW_METHODS: ", ".join(sorted(refusal.allowed_methods)),
                hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _HEADERS,
                hdrs.ACCESS_CONTROL_MAX_AGE: PREFLIGHT_SECONDS,
            }
            return web.Response(status=204, headers=headers)
        return await handler(request)

    async def mark(self, request: web.Request, response: web.StreamResponse) -> None:
        """Let a listed page read `response`, whatever it says; for `Application.on_response_prepare`."""
        if not self._is_open or not request.path.startswith(_PATHS):
            return
        # Of all answers: a cache must not hand one that was made for somebody else to a listed page.
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        if self._origins.lists(request):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = request.headers[hdrs.ORIGIN]
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = hdrs.RETRY_AFTER
