"""Client events: the table of what a client may send, and what each does."""

from collections.abc import Callable
from typing import Any, Final

from runtime.bus import Bus
from runtime.rpc import Caller
from services.gateway import answering, requests
from services.gateway.allowed import Allowed
from services.gateway.answering import Answering
from services.gateway.call import Call
from services.gateway.checks import check_data
from services.gateway.composing import composed
from services.gateway.connection import Connection
from services.gateway.control import Control
from services.gateway.edge.metrics import malformed_packets
from services.gateway.entering import Entering, Later
from services.gateway.fanout import FanOut
from services.gateway.lifetimes import Lifetimes
from services.gateway.meter import Allowance, allowances
from services.gateway.notifying import Notifying
from services.gateway.presence.presence import Presence
from services.gateway.publisher import Publisher
from services.gateway.reading import Reading
from services.gateway.replies import Done, HistoryPage, MarkedRead, Refreshed
from services.gateway.requests import AnyEvent
from wire import codec, subjects
from wire.errors import ErrorCode, ParleyError
from wire.messages import Author, Page, RoomEvent, Typing

_Handler = Callable[[Call, Any], Done | None]
"""Returns the acknowledgement, or None if it will be given later."""

_decoder: Final[codec.Decoder[AnyEvent]] = codec.Decoder(AnyEvent)  # type: ignore[arg-type] # a union


class Events:
    """Validates, carries out and acknowledges, in the order in which a client's events come."""

    def __init__(
        self,
        *,
        bus: Bus,
        control: Control,
        entering: Entering,
        lifetimes: Lifetimes,
        publisher: Publisher,
        history: Caller[Page],
        notifying: Notifying,
        reading: Reading,
        presence: Presence,
        fan_out: FanOut,
        allowed: Allowed,
    ) -> None:
        self._bus = bus
        self._control = control
        self._entering = entering
        self._lifetimes = lifetimes
        self._publisher = publisher
        self._history = history
        self._notifying = notifying
        self._reading = reading
        self._presence = presence
        self._fan_out = fan_out
        self._answering = Answering()
        may = allowances(allowed.rates)
        self._mistakes = may.get("mistake")
        self._table: Final[dict[type[AnyEvent], tuple[str, _Handler, Allowance | None]]] = {
            requests.JoinEvent: ("join", self._join, may.get("join")),
            requests.LeaveEvent: ("leave", self._leave, may.get("join")),
            requests.MessageEvent: ("message", self._message, may.get("message")),
            requests.TypingEvent: ("typing", self._typing, may.get("typing")),
            requests.RelayEvent: ("event", self._event, may.get("event")),
            requests.PresenceEvent: ("presence", self._who, may.get("presence")),
            requests.HistoryEvent: ("history", self._page, may.get("history")),
            requests.ReadEvent: ("read", self._read, may.get("read")),
            requests.RefreshEvent: ("refresh", self._refresh, may.get("refresh")),
            requests.DismissEvent: ("dismiss", self._dismiss, may.get("dismiss")),
        }

    def handle(self, connection: Connection, ack_id: str, text: str) -> None:
        """Carry out one event, or begin to; whatever happens is told in the acknowledgement. Never raises."""
        connection.asked += 1
        try:
            event = _decoder.decode(text)
        except codec.WireError as error:
            self._refuse(connection, ack_id, text, error)
            return
        name, handler, allowance = self._table[type(event)]
        call = Call(connection, name, ack_id, self._fan_out)
        try:
            self._control.check()
            if allowance is not None:
                allowance.take(connection)
            reply = handler(call, event.request)
        except ParleyError as error:
            call.failed(error)
        except Exception:  # noqa: BLE001 - a defect of ours must not take the connection with it
            answering.failed(call)
        else:
            if reply is not None:
                call.done(reply)

    def _refuse(self, connection: Connection, ack_id: str, text: str, error: codec.WireError) -> None:
        # No variable keeps an exception: it would keep its frames, and they it and all that was sent.
        try:
            if self._mistakes is not None:
                self._mistakes.take(connection)  # to find out what is wrong costs more than what is right
        except ParleyError as too_many:
            malformed_packets.inc()
            Call(connection, "malformed", ack_id, self._fan_out).failed(too_many)
            return
        name, why = requests.why_refused(text, error)
        if name is None:
            malformed_packets.inc()
        Call(connection, name or "malformed", ack_id, self._fan_out).failed(ParleyError(ErrorCode.INVALID, why))

    def _join(self, call: Call, request: requests.Join) -> Done | None:
        return self._now_or_in_turn(call, self._entering.join(call.connection, request))

    def _leave(self, call: Call, request: requests.Leave) -> Done | None:
        return self._now_or_in_turn(call, self._entering.leave(call.connection, request.room))

    def _now_or_in_turn(self, call: Call, answer: Done | Later) -> Done | None:
        if isinstance(answer, Done):
            return answer
        # What the client sends next may need it.
        self._answering.later(call, answer, in_turn=True)
        return None

    def _message(self, call: Call, request: requests.SendMessage) -> None:
        _check_joined(call.connection, request.room)
        user = call.connection.bearer.user
        message = composed(Author(id=user.id, display_name=user.display_name), request)
        self._publisher.publish(request.room, message, call)

    def _typing(self, call: Call, request: requests.SetTyping) -> Done:
        connection = call.connection
        _check_joined(connection, request.room)
        typing = Typing(user=connection.bearer.user.id, active=request.active, origin=connection.id)
        self._bus.publish(subjects.live(request.room, subjects.TYPING), codec.encode(typing))
        return Done()

    def _event(self, call: Call, request: requests.SendEvent) -> Done:
        connection = call.connection
        _check_joined(connection, request.room)
        check_data(request.data)
        event = RoomEvent(user=connection.bearer.user.id, name=request.name, data=request.data, origin=connection.id)
        self._bus.publish(subjects.live(request.room, subjects.EVENT), codec.encode(event))
        return Done()

    def _who(self, call: Call, request: requests.GetPresence) -> Done | None:
        _check_joined(call.connection, request.room)
        if self._presence.is_known(request.room):
            return self._presence.members(request.room, call.connection)
        self._answering.later(call, self._find_out_who(call.connection, request.room))
        return None

    async def _find_out_who(self, connection: Connection, room: str) -> Done:
        await self._presence.known(room)
        self._control.check()
        _check_joined(connection, room)  # still
        return self._presence.members(room, connection)

    def _page(self, call: Call, request: requests.GetHistory) -> None:
        _check_joined(call.connection, request.room)
        self._answering.later(call, self._read_page(call.connection, request))

    async def _read_page(self, connection: Connection, request: requests.GetHistory) -> Done:
        page = await self._history(requests.page_request(request))
        _check_joined(connection, request.room)  # still
        return HistoryPage(messages=page.messages, more=page.more)

    def _read(self, call: Call, request: requests.MarkRead) -> None:
        _check_joined(call.connection, request.room)
        self._answering.later(call, self._mark_read(call.connection, request))

    async def _mark_read(self, connection: Connection, request: requests.MarkRead) -> Done:
        return MarkedRead(seq=await self._reading.mark(connection, request))

    def _refresh(self, call: Call, request: requests.Refresh) -> None:
        self._answering.later(call, self._lengthen(call.connection, request))

    async def _lengthen(self, connection: Connection, request: requests.Refresh) -> Done:
        return Refreshed(expires_in=await self._lifetimes.lengthen(connection, request.token))

    def _dismiss(self, call: Call, request: requests.Dismiss) -> None:
        self._answering.later(call, self._notifying.dismiss(call.connection, request.id))


def _check_joined(connection: Connection, room: str) -> None:
    if room not in connection.rooms:
        raise ParleyError(ErrorCode.NOT_JOINED, "join the room first")
