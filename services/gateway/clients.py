"""The connected clients: who is let in, and what they send, between the edge and the application."""

import re
from collections.abc import Mapping
from typing import Final, Protocol

from aiohttp import web
from socketio.exceptions import ConnectionRefusedError as SocketIORefusal

from runtime import tracing
from runtime.failures import Failures
from services.gateway import metrics
from services.gateway.admission import Admission
from services.gateway.connection import Connection
from services.gateway.edge import frames
from services.gateway.edge.limits import Limits
from services.gateway.edge.server import Server
from services.gateway.edge.session import Session
from services.gateway.lives import Lives
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError

PATH: Final = "/socket.io/"

_ACK_ID: Final = re.compile(r"[0-9]{1,10}")


class Application(Protocol):
    """What clients talk to."""

    async def authenticate(self, auth: object) -> Verified:
        """Who connects with the CONNECT packet's `auth`; raises `ParleyError` to refuse."""

    async def admit(self, connection: Connection, auth: object) -> None:
        """`connection` is about to be there, in the turn of the loop in which this returns, or is gone by then.

        Raises `ParleyError` to refuse it after all.
        """

    def connected(self, connection: Connection) -> tuple[Mapping[str, str], list[bytes]]:
        """`connection` is there; what the answer says beside its sid, and the first packets that it is sent."""

    def disconnected(self, connection: Connection) -> None:
        """`connection` is gone."""

    def handle(self, connection: Connection, ack_id: str, text: str) -> None:
        """An event: the JSON array of its packet, and the id to acknowledge it with ("" for none). Never raises."""


class Clients:
    """Serves one application.

    Events go to it as they come, past python-socketio's table of handlers, in which a client could name the server's
    own. Nothing in the contract is binary, and no event that the server sends asks for an acknowledgement.
    """

    def __init__(
        self,
        application: Application,
        *,
        limits: Limits,
        transports: tuple[str, ...],
        allowed_origins: tuple[str, ...],
        admission: Admission,
    ) -> None:
        self._application = application
        self._admission = admission
        self._server = Server(
            limits=limits,
            transports=transports,
            allowed_origins=allowed_origins,
            on_packet=self._on_packet,
            greet=self._greet,
        )
        self._farewell = b""
        self._failures = Failures()
        self._lives = Lives()
        self._count = 0
        metrics.connections.set_function(lambda: self._count)
        self._server.on("connect", self._on_connect)
        self._server.on("disconnect", self._on_disconnect)

    def attach(self, app: web.Application) -> None:
        """Serve on a route of `app`."""
        self._server.attach(app, socketio_path=PATH.strip("/"))

    def dismiss(self, farewell: bytes) -> list[Session]:
        """Open no session any more: handshakes are answered 503. Returns those that are there.

        Who of them is still to be let in is sent the Socket.IO packet `farewell` when that happens.
        """
        self._farewell = frames.message(farewell)
        self._server.eio.refuse()
        return list(self._server.eio.sockets.values())

    @property
    def has_sessions(self) -> bool:
        """Whether any is there, let in or not."""
        return bool(self._server.eio.sockets)

    def dismiss_one(self, connection: Connection) -> None:
        """End one connection, in the way that keeps its client from coming back; nothing of it can be recovered."""
        connection.has_left = True
        self._server.start_background_task(self._server.disconnect, connection.id)

    @property
    def is_full(self) -> bool:
        """Whether there are as many sessions as there may be."""
        return bool(self._server.eio.gate.is_full)

    async def close(self) -> int:
        """End all connections, in the way that makes clients come back.

        Returns how many could not be told everything that they were owed within the close timeout.
        """
        await self._server.shutdown()
        return int(self._server.eio.parting)

    def _on_packet(self, session: Session, packet: str | bytes) -> bool:
        connection: Connection | None = session.application
        kind = packet[1:2]
        if connection is None:
            if kind in {"0", "1"}:
                return False  # CONNECT and DISCONNECT are python-socketio's
        elif kind == "2" and isinstance(packet, str):
            start = packet.find("[", 2)
            ack_id = packet[2:start]
            if start > 0 and (not ack_id or _ACK_ID.fullmatch(ack_id)):
                self._application.handle(connection, ack_id, packet[start:])
                return True
        elif kind == "1":
            # Not the end of the transport: the JavaScript client says that, too, before it comes back.
            connection.has_left = packet[2:3] != "/"  # that would be another namespace
            return False
        elif kind == "3":
            return True
        session.owner.malformed(session)
        return True

    async def _on_connect(self, sid: str, _environ: Mapping[str, str], auth: object) -> None:
        with tracing.request("connect") as request:
            try:
                await self._let_in(sid, auth, trace=int(request.trace_id, 16))
            except ParleyError as error:
                self._failures.note("connection refused", error.code, connection=sid)
                request.failed(error.code, is_ours=error.code is ErrorCode.UNAVAILABLE)
                raise _refusal(error) from None
            except SocketIORefusal:
                request.failed("gone")
                raise
            except Exception:  # a defect of ours, which the edge logs
                metrics.connects[ErrorCode.INTERNAL,] += 1
                raise

    async def _let_in(self, sid: str, auth: object, *, trace: int) -> None:
        session = _check_open(self._server.session_of(sid))
        async with self._admission.turn():
            _check_open(session)
            bearer = await self._application.authenticate(auth)
        self._admission.enter(bearer.user.id)
        try:
            connection = Connection(sid, bearer, session, trace=trace)
            await self._application.admit(connection, auth)
            _check_open(session)
        except BaseException:
            self._admission.leave(bearer.user.id)
            raise
        session.application, session.sent = connection, 0

    def _greet(self, session: Session) -> tuple[Mapping[str, str], bytes]:
        connection = session.application
        try:
            answer, packets = self._application.connected(connection)
        except Exception:
            metrics.connects[ErrorCode.INTERNAL,] += 1
            session.application = None  # nobody will be told that it is gone
            self._admission.leave(connection.bearer.user.id)
            raise
        metrics.connects["ok",] += 1
        self._count += 1
        return answer, b"".join(map(frames.message, packets)) + self._farewell

    def _on_disconnect(self, sid: str, reason: str) -> None:
        session = self._server.session_of(sid)
        if session is not None and session.application is not None:
            connection, session.application = session.application, None
            connection.has_ended = True
            self._count -= 1
            self._admission.leave(connection.bearer.user.id)
            metrics.disconnects[reason.replace(" ", "_"),] += 1
            self._lives.ended(connection, reason)
            self._application.disconnected(connection)


def _refusal(error: ParleyError) -> SocketIORefusal:
    metrics.connects[error.code,] += 1
    again = {} if error.retry_after is None else {"retry_after": error.retry_after}
    return SocketIORefusal(error.message, {"code": error.code, "message": error.message, **again})


def _check_open(session: Session | None) -> Session:
    if session is None or session.closed:
        raise SocketIORefusal("the connection is closed")  # its client did not wait for the answer
    return session
