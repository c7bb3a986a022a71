"""Client events: the table of what a client may send, and what each does."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from msgspec import Raw

from runtime.bus import Bus
from runtime.rpc import Caller
from services.gateway import metrics, protocol
from services.gateway.access import Access
from services.gateway.connection import Connection
from services.gateway.joining import Joining
from services.gateway.protocol import Done, Failed
from services.gateway.publisher import Publisher
from services.gateway.rooms import Rooms
from wire import codec, subjects
from wire.errors import ErrorCode, ParleyError
from wire.messages import Author, ChatMessage, Page, RoomEvent, Typing

log = structlog.get_logger()


class _Handler(NamedTuple):
    decode: Callable[[Raw], Any]
    run: Callable[[Connection, Any], Awaitable[Done]]
    ordered: bool = False


class Events:
    """Validates, carries out and acknowledges."""

    def __init__(
        self,
        *,
        bus: Bus,
        access: Access,
        rooms: Rooms,
        joining: Joining,
        publisher: Publisher,
        history: Caller[Page],
    ) -> None:
        self._bus = bus
        self._access = access
        self._rooms = rooms
        self._joining = joining
        self._publisher = publisher
        self._history = history
        self._table: Final = {
            "join": _Handler(_decoder(protocol.Join), self._join, ordered=True),
            "leave": _Handler(_decoder(protocol.Leave), self._leave, ordered=True),
            "message": _Handler(_decoder(protocol.SendMessage), self._message),
            "typing": _Handler(_decoder(protocol.SetTyping), self._typing),
            "event": _Handler(_decoder(protocol.SendEvent), self._event),
            "history": _Handler(_decoder(protocol.GetHistory), self._page),
        }

    def is_ordered(self, event: str) -> bool:
        """Whether later events of a connection wait for this one: those that say which rooms it is in."""
        handler = self._table.get(event)
        return handler is not None and handler.ordered

    async def handle(self, connection: Connection, event: str, argument: Raw) -> msgspec.Struct:
        """Carry out one event; whatever happens is told in the acknowledgement."""
        handler = self._table.get(event)
        if handler is None:
            metrics.events.labels(event="unknown", result=ErrorCode.INVALID).inc()
            return Failed.of(ParleyError(ErrorCode.INVALID, "no such event"))
        try:
            reply = await handler.run(connection, handler.decode(argument))
        except ParleyError as error:
            metrics.events.labels(event=event, result=error.code).inc()
            return Failed.of(error)
        except Exception:  # a defect of ours must not take the connection with it
            log.exception("event failed", event_name=event)
            metrics.events.labels(event=event, result=ErrorCode.INTERNAL).inc()
            return Failed.of(ParleyError(ErrorCode.INTERNAL, "internal error"))
        metrics.events.labels(event=event, result="ok").inc()
        return reply

    async def _join(self, connection: Connection, request: protocol.Join) -> Done:
        self._access.check(request.room)
        return await self._joining.join(connection, request)

    async def _leave(self, connection: Connection, request: protocol.Leave) -> Done:
        self._rooms.leave(request.room, connection)
        return Done()

    async def _message(self, connection: Connection, request: protocol.SendMessage) -> Done:
        _check_joined(connection, request.room)
        protocol.check_body(request.body)
        protocol.check_data(request.data)
        user = connection.bearer.user
        message = ChatMessage(
            id=request.id,
            author=Author(id=user.id, display_name=user.display_name),
            body=request.body,
            ts=time.time_ns() // 1_000_000,
            data=request.data,
        )
        return await self._publisher.publish(request.room, message)

    async def _typing(self, connection: Connection, request: protocol.SetTyping) -> Done:
        _check_joined(connection, request.room)
        typing = Typing(user=connection.bearer.user.id, active=request.active, origin=connection.id)
        self._bus.publish(subjects.live(request.room, subjects.TYPING), codec.encode(typing))
        return Done()

    async def _event(self, connection: Connection, request: protocol.SendEvent) -> Done:
        _check_joined(connection, request.room)
        protocol.check_data(request.data)
        event = RoomEvent(user=connection.bearer.user.id, name=request.name, data=request.data, origin=connection.id)
        self._bus.publish(subjects.live(request.room, subjects.EVENT), codec.encode(event))
        return Done()

    async def _page(self, connection: Connection, request: protocol.GetHistory) -> Done:
        _check_joined(connection, request.room)
        page = await self._history(protocol.page_request(request))
        return protocol.HistoryPage(messages=page.messages, more=page.more)


def _check_joined(connection: Connection, room: str) -> None:
    if room not in connection.rooms:
        raise ParleyError(ErrorCode.NOT_JOINED, "join the room first")


def _decoder(kind: type[Any]) -> Callable[[Raw], Any]:
    decoder = codec.Decoder(kind)

    def decode(argument: Raw) -> Any:
        try:
            return decoder.decode(bytes(argument))
        except codec.WireError as error:
            raise ParleyError(ErrorCode.INVALID, str(error)) from None

    return decode
