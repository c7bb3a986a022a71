"""The one entrance, over HTTP: which requests come in, and how sessions change to a WebSocket."""

import asyncio
from typing import Final

from aiohttp import hdrs, web

from services.gateway.edge import handshake, poll_requests, responses
from services.gateway.edge.backlog import Backlog
from services.gateway.edge.last_polls import LastPolls
from services.gateway.edge.opening import Opening, Sessions
from services.gateway.edge.origins import Origins
from services.gateway.edge.polling import Polling
from services.gateway.edge.session import Session
from services.gateway.edge.shared import Shared
from services.gateway.edge.upgrade import Upgrade
from services.gateway.edge.wheel import Wheel

_ONE_TOO_MANY: Final = 1008


class Entrance:
    """Answers every request, and makes the transports of `sessions`."""

    def __init__(
        self,
        sessions: Sessions,
        last_polls: LastPolls,
        *,
        transports: tuple[str, ...],
        allowed_origins: tuple[str, ...],
    ) -> None:
        self._sessions = sessions
        self._last_polls = last_polls
        self._limits = sessions.limits
        self._transports = transports
        self._origins = Origins(allowed_origins)
        self._backlog = Backlog(self._limits)
        self._shared = Shared(self._limits, self._backlog)
        self._opening = Opening(sessions, self._shared, self._backlog, transports)
        self._upgrades: Wheel[Upgrade] = Wheel(Upgrade.give_up, tick=0.25)

    def close(self) -> None:
        """Open no session any more; those that are there are answered."""
        self._opening.close()

    @property
    def parting(self) -> int:
        """How many WebSockets are closing."""
        return len(self._shared.parting)

    def stop(self) -> None:
        """End everything that keeps time."""
        self._upgrades.stop()
        self._backlog.stop()

    async def answer(self, request: web.Request) -> web.StreamResponse:  # noqa: PLR0911 - one for each case
        """The answer to `request`; one that has become a WebSocket ends in `asyncio.CancelledError`."""
        if not self._origins.admit(request):
            return responses.refused(responses.FORBIDDEN, request)
        if request.method == hdrs.METH_OPTIONS:
            return web.Response(headers=Origins.response_headers(request))
        refusal = self._why_not(request)
        if refusal is not None:
            return responses.refused(refusal, request)
        wants_websocket = request.query["transport"] == "websocket"
        sid = request.query.get("sid")
        if sid is None:
            return await self._opening.open(request, websocket=wants_websocket)
        session = self._sessions.sockets.get(sid)
        if session is None or session.closed:
            is_poll = request.method == hdrs.METH_GET and not wants_websocket
            session = self._last_polls.find(sid) if is_poll else None
        if session is None:
            return responses.refused(responses.NO_SESSION, request)
        if wants_websocket:
            return self._begin_upgrade(request, session)
        if not isinstance(session.transport, Polling):
            return responses.refused(responses.BAD_REQUEST, request)
        return await self._carry(request, session, session.transport)

    async def _carry(self, request: web.Request, session: Session, transport: Polling) -> web.StreamResponse:
        answer = poll_requests.get if request.method == hdrs.METH_GET else poll_requests.post
        try:
            return await answer(request, session, transport)
        finally:
            if session.closed:
                self._last_polls.told(session)

    def _why_not(self, request: web.Request) -> responses.Refusal | None:
        query, method = request.query, request.method
        if query.get("transport") not in self._transports:
            return responses.NO_TRANSPORT
        if query.get("EIO") != "4":
            return responses.BAD_VERSION
        may_post = "sid" in query and query["transport"] == "polling"  # a WebSocket would take the body for frames
        if method != hdrs.METH_GET and not (method == hdrs.METH_POST and may_post):
            return responses.BAD_METHOD
        if method == hdrs.METH_POST and request.content_length is None:
            raise web.HTTPLengthRequired
        return responses.BAD_REQUEST if "j" in query else None  # JSONP is of the time before CORS

    def _begin_upgrade(self, request: web.Request, session: Session) -> web.StreamResponse:
        key = handshake.check(request)
        transport = session.transport
        websocket, early = handshake.take_over(request, key, self._shared)
        if not isinstance(transport, Polling) or transport.upgrade is not None:
            # The official suite and the JavaScript server want it opened and closed, not refused.
            websocket.close(b"", _ONE_TOO_MANY)
            raise asyncio.CancelledError
        websocket.upgrade = transport.upgrade = Upgrade(session, transport, websocket)
        self._upgrades.add(transport.upgrade, self._limits.upgrade_timeout)
        if early:
            websocket.data_received(early)
        raise asyncio.CancelledError
