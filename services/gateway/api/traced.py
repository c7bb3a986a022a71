"""Each request of the API in a trace: the one that it says it belongs to, or a new one; and a line if it failed."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from runtime import tracing
from runtime.failures import Failures
from services.gateway.api.problems import code_of
from wire.headers import TRACEPARENT

_PATHS: Final = ("/api/", "/.well-known/jwks.json")


class Traced:
    """The first of all middlewares. `is_trusted`: whether requests may say that they are recorded."""

    def __init__(self, *, is_trusted: bool) -> None:
        self._is_trusted = is_trusted
        self._failures = Failures()

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Anything but the API is left alone: a page, or a poll of a connection."""
        if not request.path.startswith(_PATHS):
            return await handler(request)
        method, route = request.method if request.method in hdrs.METH_ALL else "_OTHER", _route(request)
        parent = tracing.received(request.headers.getall(TRACEPARENT, []), is_trusted=self._is_trusted)
        # https://opentelemetry.io/docs/specs/semconv/http/http-spans/
        attributes = {"http.request.method": method, "http.route": route}
        name = f"{method} {route}".strip()
        with tracing.request(name, attributes, parent=parent, is_stranger=not self._is_trusted) as traced:
            response = await handler(request)
            if traced.span is not None:
                traced.span.set_attribute("http.response.status_code", response.status)
            if response.status >= HTTPStatus.BAD_REQUEST:
                code = code_of(response)
                traced.failed(code, is_ours=response.status >= HTTPStatus.INTERNAL_SERVER_ERROR)
                self._failures.note("request failed", code, method=method, route=route, status=response.status)
            return response


def _route(request: web.Request) -> str:
    """As it stands in the table of routes: "" for a path that is none, which may be anything."""
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical
