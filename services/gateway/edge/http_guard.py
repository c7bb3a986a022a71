"""HTTP connections that take too long: aiohttp lets a request come, and an answer be read, for as long as they like.

It does close a connection that has been idle for its keep-alive timeout, counted from the last answer, also while the
next request has come in half. WebSockets are none of its connections any more, and none of ours.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import hdrs, web

from services.gateway.edge import metrics
from services.gateway.edge.addresses import Addresses, counted
from services.gateway.edge.counts import Counts
from services.gateway.edge.limits import Limits

_SWEEP_SECONDS: Final = 1.0

log = structlog.get_logger()

_Connection = web.RequestHandler


class HttpGuard:
    """Closes connections by one sweep over all of them, a second apart; none has a timer.

    Those whose first request is not there after the first request's timeout, and those whose request has not been
    dealt with, and its answer taken, after the answer's. If there are too many, also those that carry no request,
    beginning with those that have carried none for longest: whoever fills the table with idle ones loses these. Of
    requests no more are taken than there may be connections; the others are answered 503. Of one address no more than
    two for each session that it may have, which is what a client that polls has under way; the others 429.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sweep_seconds = min(_SWEEP_SECONDS, limits.first_request_timeout / 10, limits.answer_timeout / 10)
        self._silent: dict[_Connection, float] = {}
        """Connections without a request so far, and since when."""
        self._asked: dict[_Connection, float] = {}
        """The others, and when their newest request began."""
        self._handling: set[_Connection] = set()
        self._addresses = Addresses(limits.trusted_proxies)
        self._of_address: Counts[str] = Counts()
        """Requests that are being handled."""
        self._timer: asyncio.TimerHandle | None = None

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Take note of each request, before anything is done for it.

        Raises `HTTPServiceUnavailable` for one too many, and `HTTPTooManyRequests` for one too many of its address.
        """
        connection = request.protocol
        address = counted(self._addresses.of(request))
        self._check(connection, address)
        self._asked[connection] = asyncio.get_running_loop().time()
        self._handling.add(connection)
        self._of_address.add(address)
        try:
            return await handler(request)
        finally:
            self._handling.discard(connection)
            self._of_address.remove(address)
            if request.transport is None:  # it is gone, or a WebSocket
                self._asked.pop(connection, None)

    def _check(self, connection: _Connection, address: str) -> None:
        most, of_address = self._limits.http_connections_most, 2 * self._limits.sessions_per_address_most
        if most and len(self._handling) >= most and connection not in self._handling:
            metrics.limited.labels(limit="http").inc()
            raise web.HTTPServiceUnavailable(reason="too many requests at once", headers={hdrs.RETRY_AFTER: "1"})
        if of_address and self._of_address[address] >= of_address:
            metrics.limited.labels(limit="http_address").inc()
            why = "too many requests at once from this address"
            raise web.HTTPTooManyRequests(reason=why, headers={hdrs.RETRY_AFTER: "1"})

    def start(self, runner: web.AppRunner) -> None:
        """Watch the connections of `runner`."""
        self._timer = asyncio.get_running_loop().call_later(self._sweep_seconds, self._sweep, runner)

    def stop(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _sweep(self, runner: web.AppRunner) -> None:
        self.start(runner)
        now = asyncio.get_running_loop().time()
        silent, asked = self._silent, self._asked
        self._silent, self._asked = {}, {}
        connections = runner.server.connections if runner.server is not None else []
        metrics.http_connections.set(len(connections))
        for connection in connections:
            if (began := asked.get(connection)) is not None:
                self._asked[connection] = began
                if now - began >= self._limits.answer_timeout and self._is_unanswered(connection):
                    _abort(connection, "request")
            else:
                self._silent[connection] = since = silent.get(connection, now)
                if now - since >= self._limits.first_request_timeout:
                    _abort(connection, "no_request")
        if 0 < self._limits.http_connections_most < len(connections):
            self._relieve(len(connections) - self._limits.http_connections_most)

    def _relieve(self, excess: int) -> None:
        since = {**self._silent, **self._asked}
        idle = sorted((each for each in since if not self._is_unanswered(each)), key=since.__getitem__)
        for connection in idle[:excess]:
            metrics.limited.labels(limit="http").inc()
            _abort(connection, "too_many")

    def _is_unanswered(self, connection: _Connection) -> bool:
        transport = connection.transport
        return connection in self._handling or (transport is not None and transport.get_write_buffer_size() > 0)


def _abort(connection: _Connection, reason: str) -> None:
    if connection.transport is not None:
        metrics.http_closed.labels(reason=reason).inc()
        log.debug("HTTP connection closed", reason=reason)
        connection.transport.abort()
