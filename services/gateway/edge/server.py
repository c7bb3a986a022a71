"""python-socketio's server on this edge. Whoever upgrades it reads this, `engine.py`, `manager.py` and `packet.py`.

Namespaces, events, acknowledgements, rooms, sessions and disconnect reasons are python-socketio's. The seams:

- `_engineio_server_class` puts `Engine` below it; `Manager` is its client manager, `packet.checked` its packet class;
- `_handle_eio_connect`, `_handle_eio_disconnect`, `_handle_connect`, `_handle_disconnect` and `disconnect` see
  clients come and go;
- `_trigger_event` survives a `disconnect` handler that fails;
- `_send_packet` lets `greet` add to the answer to a CONNECT;
- `on_packet` sees every packet first, for an application that decodes its events itself.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import socketio
import structlog
from socketio.packet import CONNECT, CONNECT_ERROR

from services.gateway.edge import frames, metrics, packet
from services.gateway.edge.engine import Engine, OnPacket
from services.gateway.edge.environ import Environ
from services.gateway.edge.limits import Limits
from services.gateway.edge.manager import Manager
from services.gateway.edge.session import Reason, Session
from services.gateway.edge.wheel import Wheel

log = structlog.get_logger()


class Server(socketio.AsyncServer):  # type: ignore[misc] # python-socketio is not typed
    """Serves version 5 of the Socket.IO protocol over WebSockets and polling."""

    def __init__(
        self,
        *,
        limits: Limits,
        transports: tuple[str, ...] = ("polling", "websocket"),
        allowed_origins: tuple[str, ...] = (),
        on_packet: OnPacket | None = None,
        greet: Callable[[Session], tuple[Mapping[str, str], bytes]] | None = None,
        **more: Any,
    ) -> None:
        quiet = logging.getLogger("socketio")  # for the reason that `Engine` has
        quiet.setLevel(logging.CRITICAL)
        super().__init__(
            client_manager=Manager(),
            serializer=packet.checked(limits),
            logger=quiet,
            limits=limits,
            transports=transports,
            allowed_origins=allowed_origins,
            on_packet=on_packet,
            **more,
        )
        self._limits = limits
        self._greet = greet
        """What the answer says to whoever is let into the default namespace, and the frames in the same write."""
        self._strangers: Wheel[Session] = Wheel(self._expel, tick=min(0.25, limits.connect_timeout / 10))
        self.environ = _Environs(self.eio.sockets)

    def session_of(self, sid: str, namespace: str = "/") -> Session | None:
        """The Engine.IO session of a client, while it lasts."""
        session: Session | None = self.eio.sockets.get(self.manager.eio_sid_from_sid(sid, namespace))
        return session

    async def shutdown(self) -> None:
        """End everything, in the way that makes clients come back."""
        await super().shutdown()
        self._strangers.stop()

    async def disconnect(self, sid: str, namespace: str | None = None, ignore_queue: bool = False) -> None:  # noqa: FBT001, FBT002 - its signature
        """As python-socketio's; a session that is then in no namespace ends a little later."""
        session = self.session_of(sid, namespace or "/")
        await super().disconnect(sid, namespace, ignore_queue)
        if session is not None:
            self._strangers.add(session, self._limits.refused_timeout)

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    async def _handle_eio_connect(self, eio_sid: str, environ: Environ) -> None:
        session = self.eio.sockets[eio_sid]
        session.environ = environ
        self._strangers.add(session, self._limits.connect_timeout)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._binary_packet.pop(eio_sid, None)
        await super()._handle_eio_disconnect(eio_sid, reason)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: object) -> None:
        namespace = namespace or "/"
        session: Session = self.eio.sockets[eio_sid]
        if self.manager.sid_from_eio_sid(eio_sid, namespace) is not None:
            raise ValueError("connected to this namespace already")
        if self._serves(namespace):
            try:
                await super()._handle_connect(eio_sid, namespace, data)
            except Exception:  # whatever the application raised, its client is told, and nothing of it stays behind
                log.exception("connect handler failed")
                sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
                await self.manager.disconnect(sid, namespace, ignore_queue=True)
                session.close(Reason.SERVER, last=frames.CLOSE)
        else:
            refusal = self.packet_class(CONNECT_ERROR, data={"message": "Invalid namespace"}, namespace=namespace)
            await self._send_packet(eio_sid, refusal)
        if session.closed:
            # It went while its client was being let in.
            await super()._handle_disconnect(eio_sid, namespace, Reason.TRANSPORT_CLOSE)
        elif self.manager.sid_from_eio_sid(eio_sid, namespace) is None:
            self._strangers.add(session, self._limits.refused_timeout)
        elif len(self.handlers) + len(self.namespace_handlers) == 1:
            session.environ = None  # no other namespace will ask for it

    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        try:
            return await super()._trigger_event(event, namespace, *args)
        except Exception:
            if event != "disconnect":
                raise
            # Its client is gone all the same, and has to be forgotten.
            log.exception("disconnect handler failed")
            return None

    async def _send_packet(self, eio_sid: str, pkt: socketio.packet.Packet) -> None:
        session = self.eio.sockets.get(eio_sid)
        if self._greet is not None and pkt.packet_type == CONNECT and pkt.namespace == "/" and session is not None:
            answer, behind = self._greet(session)
            pkt.data.update(answer)
            frame = frames.message(pkt.encode().encode()) + behind
            metrics.sent(1 + frames.count(behind), len(frame))
            session.write(frame)
        else:
            await super()._send_packet(eio_sid, pkt)

    async def _handle_disconnect(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> None:
        await super()._handle_disconnect(eio_sid, namespace, reason)
        session = self.eio.sockets.get(eio_sid)
        if session is not None and not session.closed:
            self._strangers.add(session, self._limits.connect_timeout)

    def _serves(self, namespace: str) -> bool:
        return (
            namespace in self.handlers
            or namespace in self.namespace_handlers
            or self.namespaces == "*"
            or namespace in self.namespaces
        )

    def _expel(self, session: Session) -> None:
        """End a session that is in no namespace: it would live on for as long as it answers pings."""
        if session.closed:
            return
        spaces = [space for space in self.manager.rooms.values() if session.sid in space.sids]
        if not spaces:
            session.close(Reason.SERVER, last=frames.CLOSE)
        elif all(space.sids[session.sid] in space.connecting for space in spaces):
            self._strangers.add(session, self._limits.refused_timeout)  # it is being let in


class _Environs(Mapping[str, Mapping[str, str]]):
    """The request that opened a session; an empty one once it has connected to the only namespace there is."""

    def __init__(self, sessions: dict[str, Session]) -> None:
        self._sessions = sessions

    def __getitem__(self, eio_sid: str) -> Mapping[str, str]:
        environ = self._sessions[eio_sid].environ
        return {} if environ is None else environ

    def __iter__(self) -> Iterator[str]:
        return iter(self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)
