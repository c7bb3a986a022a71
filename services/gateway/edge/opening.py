"""How sessions begin, on either transport."""

import asyncio
from typing import Final, Protocol

import msgspec
from aiohttp import web

from services.gateway.edge import frames, handshake, metrics, responses
from services.gateway.edge.addresses import Addresses, counted
from services.gateway.edge.backlog import Backlog
from services.gateway.edge.environ import Environ
from services.gateway.edge.gate import Gate
from services.gateway.edge.limits import Limits
from services.gateway.edge.polling import Polling
from services.gateway.edge.responses import Later
from services.gateway.edge.session import Owner, Session
from services.gateway.edge.shared import Shared

_ENDING: Final = Later(503, "this gateway is about to end", 1.0)


class Sessions(Owner, Protocol):
    """Where sessions are kept."""

    sockets: dict[str, Session]
    """By id; one that has ended is there until the application was told."""
    gate: Gate

    def generate_id(self) -> str:
        """A new id, which nobody can guess."""

    async def opened(self, session: Session, environ: Environ, /) -> None:
        """Keep a new session, and tell the application of the request that opened it."""


class Opening:
    """Opens `sessions`, as long as their gate lets it."""

    def __init__(self, sessions: Sessions, shared: Shared, backlog: Backlog, transports: tuple[str, ...]) -> None:
        self._sessions = sessions
        self._shared = shared
        self._backlog = backlog
        self._addresses = Addresses(sessions.limits.trusted_proxies)
        upgrades = tuple(each for each in transports if each == "websocket")
        self._hello_polling = _hello(upgrades, sessions.limits)
        self._hello_websocket = _hello((), sessions.limits)
        self._is_closed = False

    def close(self) -> None:
        """Open none any more."""
        self._is_closed = True

    async def open(self, request: web.Request, *, websocket: bool) -> web.StreamResponse:
        """The answer to a handshake; a WebSocket ends in `asyncio.CancelledError`."""
        if self._is_closed:
            metrics.handshakes_refused.inc()
            return responses.later(_ENDING, request)
        # Nothing is counted for what is no handshake.
        key = handshake.check(request) if websocket else ""
        address = self._addresses.of(request)
        refusal = self._sessions.gate.turn_away(address)
        if refusal is not None:
            return responses.later(refusal, request)
        # Until the session is kept nothing is awaited: whoever comes next is counted with it.
        if websocket:
            return await self._open_websocket(request, key, address)
        return await self._open_polling(request, address)

    async def _open_websocket(self, request: web.Request, key: str, address: str) -> web.StreamResponse:
        sid = self._sessions.generate_id()
        hello = frames.text(self._hello_websocket % sid.encode())
        websocket, early = handshake.take_over(request, key, self._shared, hello)
        session = Session(self._sessions, sid, websocket)
        session.address = counted(address)
        metrics.sent(1, len(hello))
        websocket.carry(session)
        await self._sessions.opened(session, Environ(request, address))
        if early:
            websocket.data_received(early)
        raise asyncio.CancelledError

    async def _open_polling(self, request: web.Request, address: str) -> web.StreamResponse:
        transport = Polling(self._backlog)
        session = Session(self._sessions, self._sessions.generate_id(), transport)
        session.address = counted(address)
        transport.session = session
        await self._sessions.opened(session, Environ(request, address))
        hello = self._hello_polling % session.sid.encode()
        metrics.sent(1, len(frames.text(hello)))
        return responses.payload(hello.decode(), request)


def _hello(upgrades: tuple[str, ...], limits: Limits) -> bytes:
    """The OPEN packet, with %b where the session's id goes."""
    return b"0" + msgspec.json.encode(
        {
            "sid": "%b",
            "upgrades": upgrades,
            "pingInterval": round(limits.ping_interval * 1000),
            "pingTimeout": round(limits.ping_timeout * 1000),
            "maxPayload": limits.payload_most,
        }
    )
