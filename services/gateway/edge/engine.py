"""Engine.IO version 4: python-engineio's server, whose sessions and transports are ours.

python-socketio gets it through `Server._engineio_server_class`, and uses the rest of it (handlers, ids, stored
sessions, background tasks) as it always does. Requests come in by the `Entrance`.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

import engineio
from aiohttp import web
from engineio.packet import Packet

from services.gateway.edge import frames, metrics
from services.gateway.edge.entrance import Entrance
from services.gateway.edge.environ import Environ
from services.gateway.edge.gate import Gate
from services.gateway.edge.heartbeat import Heartbeat
from services.gateway.edge.ids import secret_ids
from services.gateway.edge.last_polls import LastPolls
from services.gateway.edge.limits import Limits
from services.gateway.edge.pace import Pace
from services.gateway.edge.session import Reason, Session

_LOOK_SECONDS: Final = 0.02

OnPacket = Callable[[Session, str | bytes], bool]
"""Gets a MESSAGE packet (text with its leading "4", or binary); whether it has dealt with it."""


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
        self.pace: Final = Pace(limits)
        self.sockets: dict[str, Session] = {}
        self.gate: Final = Gate(limits, self.sockets)
        self._on_packet = on_packet
        self._last_polls = last_polls = LastPolls(limits)
        self._entrance = Entrance(self, last_polls, transports=transports, allowed_origins=allowed_origins)
        self._heartbeat = Heartbeat(limits)
        self._ids = secret_ids()
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- for python-socketio ---------------------------------------------------------------------------------------

    def attach(self, app: web.Application, engineio_path: str = "engine.io") -> None:
        """Serve on a route of `app`."""
        app.router.add_route("*", f"/{engineio_path.strip('/')}/", self.handle_request)

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, whoever routes it here."""
        return await self._entrance.answer(request)

    def generate_id(self) -> str:
        """A new id, of a session or of a client."""
        return next(self._ids)

    async def send_packet(self, sid: str, pkt: Packet) -> None:
        """Send an Engine.IO packet; a session that is gone is no error."""
        session = self.sockets.get(sid)
        if session is not None:
            frame = frames.of(pkt)
            metrics.sent(1, len(frame))
            session.write(frame)

    async def disconnect(self, sid: str | None = None) -> None:
        """End one session, or all: their clients are told, and do not come back by themselves."""
        for session in list(self.sockets.values()) if sid is None else [self.sockets.get(sid)]:
            if session is not None:
                session.close(Reason.SERVER, last=frames.CLOSE)

    async def shutdown(self) -> None:
        """End all sessions in the way that makes clients come back, and everything that keeps time; open no other.

        Returns once every client has been told everything, or after the close timeout; see `parting`.
        """
        self.refuse()
        for session in list(self.sockets.values()):
            session.send_away()
        until = self._loop.time() + self.limits.close_timeout
        while (self._tasks or self.parting) and self._loop.time() < until:  # noqa: ASYNC110 - so nobody has to tell us
            await asyncio.sleep(_LOOK_SECONDS)
        for each in (self._heartbeat, self._last_polls, self._entrance):
            each.stop()

    # --- for the application ----------------------------------------------------------------------------------------

    def refuse(self) -> None:
        """Open no session any more: handshakes are answered 503. Those that are there go on."""
        self._entrance.close()

    @property
    def parting(self) -> int:
        """How many sessions have ended whose clients have not been told everything yet."""
        return self._entrance.parting + self._last_polls.parting

    # --- for the entrance -------------------------------------------------------------------------------------------

    async def opened(self, session: Session, environ: Environ) -> None:
        """Keep a session that begins; the application is told of it, and of its request, before this returns."""
        self.sockets[session.sid] = session
        self.gate.opened(session)
        self._heartbeat.add(session)
        handler = self.handlers.get("connect")
        told = handler(session.sid, environ) if handler is not None else None
        if told is not None:  # a handler may be a plain function
            await told

    # --- for sessions -----------------------------------------------------------------------------------------------

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
        if reason == Reason.SERVER:
            self._last_polls.expect(session)
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
            self.gate.ended(session)

    async def _deal_with(self, session: Session, packet: str | bytes) -> None:
        try:
            await self.handlers["message"](session.sid, packet if isinstance(packet, bytes) else packet[1:])
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            self.malformed(session)
        finally:
            if not session.closed:
                session.release()
