"""Engine.IO version 4: python-engineio's server, whose sessions and transports are ours.

python-socketio gets it through `Server._engineio_server_class`, and uses the rest of it (handlers, ids, stored
sessions, background tasks) as it always does. aiohttp serves HTTP, and with it polling and the handshake of a
WebSocket, which then leaves aiohttp.
"""

import asyncio
import base64
import logging
import os
from collections.abc import Callable, Coroutine
from typing import Any, Final

import engineio
import msgspec
from aiohttp import hdrs, web
from engineio.packet import Packet

from services.gateway import metrics
from services.gateway.edge import frames, handshake, polling
from services.gateway.edge.backlog import Backlog
from services.gateway.edge.heartbeat import Heartbeat
from services.gateway.edge.limits import Limits
from services.gateway.edge.origins import Origins
from services.gateway.edge.polling import DuplicatePollError, Polling
from services.gateway.edge.session import Reason, Session
from services.gateway.edge.upgrade import Upgrade
from services.gateway.edge.websocket import Shared
from services.gateway.edge.wheel import Wheel

_GOING_AWAY: Final = 1001
_ID_BYTES: Final = 15
_ONE_TOO_MANY: Final = 1008
_NO_TRANSPORT: Final = (0, "Transport unknown")
_NO_SESSION: Final = (1, "Session ID unknown")
_BAD_METHOD: Final = (2, "Bad handshake method")
_BAD_REQUEST: Final = (3, "Bad request")
_FORBIDDEN: Final = (4, "Forbidden")
_BAD_VERSION: Final = (5, "Unsupported protocol version")

OnPacket = Callable[[Session, str | bytes], bool]
"""Gets a MESSAGE packet (text with its leading "4", or binary); whether it has dealt with it."""

Refusal = tuple[int, str]
"""A code of the Engine.IO protocol, and what it stands for."""


class Engine(engineio.AsyncServer):  # type: ignore[misc] # python-engineio is not typed
    """Sessions: opened, found again, and ended."""

    def __init__(
        self,
        *,
        limits: Limits,
        transports: tuple[str, ...],
        allowed_origins: tuple[str, ...],
        on_packet: OnPacket | None,
        async_handlers: bool = False,  # python-socketio's, which starts its tasks itself
    ) -> None:
        # Their INFO lines carry whole packets, and their ERROR lines a traceback for whatever a stranger sends: what
        # comes of a packet is counted where it is handled.
        quiet = logging.getLogger("engineio")
        quiet.setLevel(logging.CRITICAL)
        super().__init__(async_mode="aiohttp", async_handlers=async_handlers, monitor_clients=False, logger=quiet)
        self.limits: Final = limits
        self.sockets: dict[str, Session] = {}
        self._transports = transports
        self._on_packet = on_packet
        self._origins = Origins(allowed_origins)
        self._backlog = Backlog(limits)
        self._shared = Shared(limits, self._backlog)
        self._heartbeat = Heartbeat(limits)
        self._upgrades: Wheel[Upgrade] = Wheel(Upgrade.give_up, tick=0.25)
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- for python-socketio ---------------------------------------------------------------------------------------

    def attach(self, app: web.Application, engineio_path: str = "engine.io") -> None:
        """Serve on a route of `app`."""
        app.router.add_route("*", f"/{engineio_path.strip('/')}/", self.handle_request)

    def generate_id(self) -> str:
        """A new id: 120 random bits, as characters that need no escaping in a URL."""
        return base64.urlsafe_b64encode(os.urandom(_ID_BYTES)).decode()

    async def send_packet(self, sid: str, pkt: Packet) -> None:
        """Send an Engine.IO packet; a session that is gone is no error."""
        session = self.sockets.get(sid)
        if session is not None:
            session.write(frames.of(pkt))

    async def disconnect(self, sid: str | None = None) -> None:
        """End one session, or all: their clients are told, and do not come back by themselves."""
        for session in list(self.sockets.values()) if sid is None else [self.sockets.get(sid)]:
            if session is not None:
                session.close(Reason.SERVER, last=frames.CLOSE)

    async def shutdown(self) -> None:
        """End all sessions in the way that makes clients come back, and everything that keeps time."""
        for session in list(self.sockets.values()):
            session.close(Reason.SERVER, last=frames.NOOP, code=_GOING_AWAY)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self.limits.close_timeout)
        # Not those that are closing: they end by themselves, whether their clients answer or not.
        for each in (self._heartbeat, self._upgrades, self._backlog):
            each.stop()

    # --- for sessions ----------------------------------------------------------------------------------------------

    def received(self, session: Session, packet: str | bytes) -> None:
        """Hand a MESSAGE packet on; where a handler deals with it, those behind it wait until that is done."""
        if self._on_packet is not None and self._on_packet(session, packet):
            return
        session.hold()
        self.spawn(self._deal_with(session, packet))

    def malformed(self, session: Session) -> None:
        """End a session for what came in it."""
        metrics.malformed_packets.inc()
        session.close(Reason.TRANSPORT_ERROR, last=frames.CLOSE)

    def ended(self, session: Session, reason: str) -> None:
        """Tell the application, in a task of its own, and forget the session."""
        self.spawn(self._forget(session, reason))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run `work`, and keep hold of it until it is done."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forget(self, session: Session, reason: str) -> None:
        try:
            await self._trigger_event("disconnect", session.sid, reason, run_async=False)
        finally:
            del self.sockets[session.sid]

    async def _deal_with(self, session: Session, packet: str | bytes) -> None:
        try:
            await self.handlers["message"](session.sid, packet if isinstance(packet, bytes) else packet[1:])
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            self.malformed(session)
        finally:
            if not session.closed:
                session.release()

    # --- HTTP ------------------------------------------------------------------------------------------------------

    async def handle_request(self, request: web.Request) -> web.StreamResponse:  # noqa: PLR0911 - one for each case
        """The one entrance."""
        if not self._origins.admit(request):
            return _refused(_FORBIDDEN, request)
        if request.method == hdrs.METH_OPTIONS:
            return web.Response(headers=self._origins.response_headers(request))
        refusal = self._why_not(request)
        if refusal is not None:
            return _refused(refusal, request)
        wants_websocket = request.query["transport"] == "websocket"
        sid = request.query.get("sid")
        if sid is None:
            return await (self._open_websocket(request) if wants_websocket else self._open_polling(request))
        session = self.sockets.get(sid)
        if session is None or session.closed:
            return _refused(_NO_SESSION, request)
        if wants_websocket:
            return self._begin_upgrade(request, session)
        if not isinstance(session.transport, Polling):
            return _refused(_BAD_REQUEST, request)
        answer = self._poll if request.method == hdrs.METH_GET else self._post
        return await answer(request, session, session.transport)

    def _why_not(self, request: web.Request) -> Refusal | None:
        query, method = request.query, request.method
        if query.get("transport") not in self._transports:
            return _NO_TRANSPORT
        if query.get("EIO") != "4":
            return _BAD_VERSION
        may_post = "sid" in query and query["transport"] == "polling"  # a WebSocket would take the body for frames
        if method != hdrs.METH_GET and not (method == hdrs.METH_POST and may_post):
            return _BAD_METHOD
        if method == hdrs.METH_POST and request.content_length is None:
            raise web.HTTPLengthRequired
        return _BAD_REQUEST if "j" in query else None  # JSONP is of the time before CORS

    async def _open_websocket(self, request: web.Request) -> web.StreamResponse:
        key = handshake.check(request)
        sid = self.generate_id()
        hello = self._hello(sid, upgrades=())
        websocket, early = handshake.take_over(request, key, self._shared, frames.text(hello))
        session = Session(self, sid, websocket)
        websocket.carry(session)
        await self._opened(session, request)
        if early:
            websocket.data_received(early)
        raise asyncio.CancelledError

    async def _open_polling(self, request: web.Request) -> web.StreamResponse:
        transport = Polling(self._backlog)
        session = Session(self, self.generate_id(), transport)
        transport.session = session
        upgrades = tuple(each for each in self._transports if each == "websocket")
        await self._opened(session, request)
        return self._payload(request, self._hello(session.sid, upgrades).decode())

    async def _opened(self, session: Session, request: web.Request) -> None:
        self.sockets[session.sid] = session
        self._heartbeat.add(session)
        await self._trigger_event("connect", session.sid, _environ(request), run_async=False)

    def _hello(self, sid: str, upgrades: tuple[str, ...]) -> bytes:
        return b"0" + msgspec.json.encode(
            {
                "sid": sid,
                "upgrades": upgrades,
                "pingInterval": round(self.limits.ping_interval * 1000),
                "pingTimeout": round(self.limits.ping_timeout * 1000),
                "maxPayload": self.limits.payload_most,
            }
        )

    def _begin_upgrade(self, request: web.Request, session: Session) -> web.StreamResponse:
        key = handshake.check(request)
        transport = session.transport
        websocket, early = handshake.take_over(request, key, self._shared)
        if not isinstance(transport, Polling) or transport.upgrade is not None:
            # The official suite and the JavaScript server want it opened and closed, not refused.
            websocket.close(b"", _ONE_TOO_MANY)
            raise asyncio.CancelledError
        websocket.upgrade = transport.upgrade = Upgrade(session, transport, websocket)
        self._upgrades.add(transport.upgrade, self.limits.upgrade_timeout)
        if early:
            websocket.data_received(early)
        raise asyncio.CancelledError

    async def _poll(self, request: web.Request, session: Session, transport: Polling) -> web.StreamResponse:
        try:
            return self._payload(request, await transport.poll())
        except DuplicatePollError:
            session.close(Reason.TRANSPORT_ERROR, last=frames.CLOSE)
            return _refused(_BAD_REQUEST, request)
        except asyncio.CancelledError:
            # Whoever polled has hung up, and perhaps with an answer on its way.
            session.close(Reason.TRANSPORT_CLOSE)
            raise

    async def _post(self, request: web.Request, session: Session, transport: Polling) -> web.StreamResponse:
        if transport.posting:
            session.close(Reason.TRANSPORT_ERROR, last=frames.CLOSE)
            return _refused(_BAD_REQUEST, request)
        transport.posting = True
        try:
            return await self._take_in(request, session, transport)
        finally:
            transport.posting = False

    async def _take_in(self, request: web.Request, session: Session, transport: Polling) -> web.StreamResponse:
        size = request.content_length or 0
        if size > self.limits.payload_most:
            session.close(Reason.TRANSPORT_ERROR, last=frames.CLOSE)
            raise web.HTTPRequestEntityTooLarge(self.limits.payload_most, size)
        try:
            async with asyncio.timeout(self.limits.request_timeout):
                body = await request.read()
            packets = polling.decode(body.decode())
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        except web.HTTPRequestEntityTooLarge:  # once inflated
            session.close(Reason.TRANSPORT_ERROR, last=frames.CLOSE)
            raise
        except (ValueError, web.RequestPayloadError):  # no packets, or nothing that inflates
            self.malformed(session)
            return _refused(_BAD_REQUEST, request)
        for packet in packets:
            session.receive(packet)
        await transport.ready()
        if session.closed and packets[-1] != "1":
            return _refused(_BAD_REQUEST, request)
        return web.Response(text="ok", content_type="text/html", headers=self._origins.response_headers(request))

    def _payload(self, request: web.Request, payload: str) -> web.Response:
        headers = {hdrs.CACHE_CONTROL: "no-store", **self._origins.response_headers(request)}
        return web.Response(text=payload, headers=headers)


def _refused(refusal: Refusal, request: web.Request) -> web.Response:
    code, message = refusal
    headers = Origins.response_headers(request) if refusal is not _FORBIDDEN else {}
    return web.json_response({"code": code, "message": message}, status=400, headers=headers)


def _environ(request: web.Request) -> dict[str, Any]:
    """What a `connect` handler is told of the request: WSGI's names, and nothing that keeps the request alive."""
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    environ["REQUEST_METHOD"] = request.method
    environ["PATH_INFO"] = request.path
    environ["QUERY_STRING"] = request.query_string
    environ["REMOTE_ADDR"] = request.remote or ""
    return environ
