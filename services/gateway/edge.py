"""The edge: clients' connections, below which nobody looks and above which nobody knows of sockets.

One way a packet comes in (`received`), one way a frame goes out (a connection's queue).
"""

import asyncio
import re
from collections.abc import Coroutine, Iterable
from typing import Any, Final, NewType

import msgspec
import structlog
from aiohttp import web
from engineio.packet import MESSAGE, Packet
from socketio.exceptions import ConnectionRefusedError as SocketIORefusal

from services.gateway import metrics
from services.gateway.application import Application
from services.gateway.connection import Connection
from services.gateway.protocol import Failed
from services.gateway.settings import GatewaySettings
from services.gateway.socketio_server import Server
from wire.errors import ErrorCode, ParleyError

PATH: Final = "/socket.io/"

Frame = NewType("Frame", object)
"""An event, encoded once, ready to be handed to any number of connections."""

_AUTHENTICATE_SECONDS: Final = 5.0
_REFUSED_SECONDS: Final = 1.0
"""For the answer to be read; the official clients close the connection themselves."""

_EVENT: Final = re.compile(r"2(\d{0,10})(?=\[)")
_CONNECT: Final = "0"
_DISCONNECT: Final = "1"
_ACK: Final = "3"

_arguments: Final = msgspec.json.Decoder(list[msgspec.Raw])
_name: Final = msgspec.json.Decoder(str)
_encode: Final = msgspec.json.encode

_MALFORMED: Final = Failed.of(ParleyError(ErrorCode.INVALID, "an event takes a name and one JSON object"))

log = structlog.get_logger()


class Edge:
    """Serves one application."""

    def __init__(self, settings: GatewaySettings, application: Application) -> None:
        self._application = application
        self._connections: dict[str, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = Server(self, transports=settings.transports, allowed_origins=settings.allowed_origins)
        self._server.on("connect", self._on_connect)
        self._server.on("disconnect", self._on_disconnect)

    # --- for the application --------------------------------------------------------------------------------------

    def attach(self, app: web.Application) -> None:
        """Serve on the routes of `app`."""
        self._server.attach(app, socketio_path=PATH.strip("/"))

    async def close(self) -> None:
        """End the edge's own work; its connections end with the HTTP server."""
        await self._server.shutdown()

    def frame(self, event: str, payload: msgspec.Struct) -> Frame:
        """`payload` as an event."""
        return _frame(f'2["{event}",{_encode(payload).decode()}]')

    def send(self, connection: Connection, frame: Frame) -> None:
        """Hand `frame` to one connection; a closed one is no error."""
        if not connection.socket.closed:
            connection.socket.queue.put_nowait(frame)

    def broadcast(self, connections: Iterable[Connection], frame: Frame, *, skip: str | None = None) -> int:
        """Hand `frame` to all but the connection with id `skip`; returns to how many."""
        count = 0
        for each in connections:
            if each.id != skip and not each.socket.closed:
                each.socket.queue.put_nowait(frame)
                count += 1
        return count

    # --- for the server -------------------------------------------------------------------------------------------

    def opened(self, eio_sid: str) -> None:
        """See `socketio_server.Packets`. One that never says who it is would live on while it answers pings."""
        asyncio.get_running_loop().call_later(_AUTHENTICATE_SECONDS, self._expel_stranger, eio_sid)

    async def received(self, eio_sid: str, data: str | bytes) -> None:
        """See `socketio_server.Packets`. A packet that is none ends its connection."""
        connection = self._connections.get(eio_sid)
        if isinstance(data, str):
            event = _EVENT.match(data)
            if event is not None and connection is not None:
                return await self._on_event(connection, event.group(1), data[event.end() :])
            kind = data[:1]
            if kind == _ACK:
                return None  # no event of ours asks for one
            if kind == _DISCONNECT or (kind == _CONNECT and connection is None):
                try:
                    return await self._server.handle_control(eio_sid, data)
                except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                    log.debug("malformed packet", error=type(error).__name__)
        metrics.malformed_packets.inc()
        await self._server.close_connection(eio_sid)
        return None

    def greeted(self, eio_sid: str) -> None:
        """See `socketio_server.Packets`."""
        connection = self._connections.get(eio_sid)
        if connection is None:
            asyncio.get_running_loop().call_later(_REFUSED_SECONDS, self._expel_stranger, eio_sid)
            return
        metrics.connections.inc()
        self._application.connected(connection)

    async def _on_connect(self, sid: str, _environ: dict[str, Any], auth: object) -> None:
        eio_sid = self._server.manager.eio_sid_from_sid(sid, "/")
        try:
            bearer = await self._application.authenticate(auth)
        except ParleyError as error:
            metrics.connects.labels(result=error.code).inc()
            log.info("connection refused", code=error.code)
            raise SocketIORefusal(error.message, {"code": error.code, "message": error.message}) from None
        socket = self._server.eio.sockets.get(eio_sid)
        if socket is None or socket.closing or socket.closed:
            raise SocketIORefusal("the connection is closed")  # its client did not wait for the answer
        metrics.connects.labels(result="ok").inc()
        self._connections[eio_sid] = Connection(sid, bearer, socket)

    async def _on_disconnect(self, sid: str, reason: str) -> None:
        connection = self._connections.pop(self._server.manager.eio_sid_from_sid(sid, "/"), None)
        if connection is None:
            return
        connection.is_open = False
        metrics.connections.dec()
        metrics.disconnects.labels(reason=reason.replace(" ", "_")).inc()
        self._application.disconnected(connection)

    def _expel_stranger(self, eio_sid: str) -> None:
        if eio_sid not in self._connections and eio_sid in self._server.eio.sockets:
            self._spawn(self._server.close_connection(eio_sid))

    # --- events ---------------------------------------------------------------------------------------------------

    async def _on_event(self, connection: Connection, ack_id: str, text: str) -> None:
        try:
            name, argument = _arguments.decode(text)
            event = _name.decode(name)
        except (ValueError, RecursionError):  # msgspec's errors, and any other number of arguments
            metrics.malformed_packets.inc()
            return self._acknowledge(connection, ack_id, _MALFORMED)
        if self._application.is_ordered(event):
            await asyncio.sleep(0)  # what came before has been started
            return await self._handle(connection, ack_id, event, argument)
        await connection.slots.acquire()
        # Tasks start in the order they are made, and publish before they first wait: a sender's order is kept.
        return self._spawn(self._handle_in_slot(connection, ack_id, event, argument))

    async def _handle_in_slot(self, connection: Connection, ack_id: str, event: str, argument: msgspec.Raw) -> None:
        try:
            await self._handle(connection, ack_id, event, argument)
        finally:
            connection.slots.release()

    async def _handle(self, connection: Connection, ack_id: str, event: str, argument: msgspec.Raw) -> None:
        reply = await self._application.handle(connection, event, argument)
        self._acknowledge(connection, ack_id, reply)

    def _acknowledge(self, connection: Connection, ack_id: str, reply: msgspec.Struct) -> None:
        if ack_id:
            self.send(connection, _frame(f"3{ack_id}[{_encode(reply).decode()}]"))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _frame(text: str) -> Frame:
    packet = Packet(MESSAGE, data=text)
    packet.encode()  # kept by the packet: sending it again encodes nothing
    return Frame(packet)
