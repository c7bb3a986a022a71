"""From NATS to the members of a room."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol, TypeVar

import structlog

from runtime.listening import Delivery
from runtime.stream import MessageStream
from services.gateway import metrics
from services.gateway.fanout import FanOut
from services.gateway.pushes import EventShown, TypingShown
from services.gateway.rooms import Room
from wire import codec, headers, subjects
from wire.errors import ErrorCode, ParleyError
from wire.live import RoomLive
from wire.messages import ChatMessage, RoomEvent, StoredMessage, Typing
from wire.presence import PresenceAsked, PresenceChanged, PresenceStands

T = TypeVar("T")

_CATCH_UPS_AT_ONCE: Final = 32
_SHORTEST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_PRESENCE: Final = f".{subjects.PRESENCE}".encode()

log = structlog.get_logger()

_decoder: codec.Decoder[RoomLive] = codec.Decoder(RoomLive)  # type: ignore[arg-type] # a union


class Known(Protocol):
    """Whether it is known who may be here: `Control`."""

    is_current: bool


class Attentive(Protocol):
    """Who has to hear what gateways say of who is in a room: `Presence`."""

    def on_live(self, room: Room, message: PresenceChanged | PresenceStands | PresenceAsked, /) -> None:
        """Another gateway, or this one, has said it."""


class Relay:
    """Decodes what is live in a room, puts it in its place, and delivers it: every message once, in order.

    What comes live may have holes: NATS delivers at most once, and nothing to a gateway that is cut off. A hole shows
    by the seq that a message names as the one before it, and is filled from the stream before anything newer.
    """

    def __init__(self, fan_out: FanOut, stream: MessageStream, control: Known, presence: Attentive) -> None:
        self._control = control
        self._presence = presence
        self._fan_out = fan_out
        self._stream = stream
        self._tasks: set[asyncio.Task[None]] = set()

    def on_live(self, room: Room, message: Delivery) -> None:
        """Deliver one live message of `room`, at once or when the hole before it is filled.

        Nothing is delivered while it is not known who may be here: messages are read from the stream after that. What
        is said of who is present is heard all the same.
        """
        if not (self._control.is_current or message.subject.endswith(_PRESENCE)):
            return
        metrics.live_bytes[()] += len(message.data)
        try:
            live = _decoder.decode(message.data)
            match live:
                case ChatMessage():
                    metrics.live_messages["message",] += 1
                    self._on_message(room, live, headers.position(message.headers))
                case Typing():
                    metrics.live_messages["typing",] += 1
                    self._fan_out.deliver(room, TypingShown(room.name, live.user, live.active), skip=live.origin)
                case RoomEvent():
                    metrics.live_messages["event",] += 1
                    shown = EventShown(room.name, live.name, live.data, live.user)
                    self._fan_out.deliver(room, shown, skip=live.origin)
                case PresenceChanged() | PresenceStands() | PresenceAsked():
                    metrics.live_messages["presence",] += 1
                    self._presence.on_live(room, live)
        except (codec.WireError, KeyError, ValueError) as error:
            metrics.live_unreadable.inc()
            log.warning(
                "unreadable live message", subject=message.subject.decode(errors="replace"), error=repr(error)
            )

    async def catch_up(self, room: Room) -> None:
        """Deliver what the stream holds of `room` and was not heard, however long the stream takes to answer.

        Or it takes until it is known who may be here.
        """
        async with room.lock:
            last = await _insisting(room, lambda: self._stream.last_seq(room.name))
            await self._fill(room, last or 0)

    async def catch_up_all(self, rooms: Iterable[Room]) -> None:
        """The same for all of `rooms`, some at a time; one that fails is logged, and ends none of the others."""
        slots = asyncio.Semaphore(_CATCH_UPS_AT_ONCE)

        async def one(room: Room) -> None:
            async with slots:
                try:
                    await self.catch_up(room)
                except Exception:
                    log.exception("catching up with a room failed", room=room.name)

        await asyncio.gather(*map(one, rooms))

    def _on_message(self, room: Room, message: ChatMessage, position: headers.Position) -> None:
        if room.opening is not None:
            # Nobody is in yet, and the first to come in is told of it by its join.
            room.last_seq = max(room.last_seq, position.seq)
        elif position.prev <= room.last_seq and not room.behind and not room.lock.locked():
            self._deliver_live(room, message, position)
        else:
            is_first = not room.behind
            room.wait_behind(message, position)
            if is_first or not room.lock.locked():  # otherwise somebody is at it
                task = asyncio.ensure_future(self._come_after(room))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _come_after(self, room: Room) -> None:
        async with room.lock:
            while room.behind:
                message, position = room.behind.popleft()
                await self._fill(room, position.prev)
                self._deliver_live(room, message, position)
            room.behind = None

    def _deliver_live(self, room: Room, message: ChatMessage, position: headers.Position) -> None:
        if position.seq > room.last_seq:
            self._deliver(room, position.seq, message, position.stored_at)

    async def _fill(self, room: Room, upto: int) -> None:
        if upto <= max(room.last_seq, room.filled_upto):
            return
        metrics.gaps_found.inc()
        after = room.last_seq
        with metrics.gaps_open.track_inprogress():
            await _insisting(room, lambda: self._read(room, upto))
        if room.subscription is None:
            return  # nobody is left to miss anything
        if room.last_seq < upto:
            room.filled_upto = upto
            metrics.gaps_unhealable.inc()
            log.error("the stream does not hold what is missing", after=after, upto=upto, filled_upto=room.last_seq)
        else:
            metrics.gaps_healed.inc()

    async def _read(self, room: Room, upto: int) -> None:
        async for seq, message, stored_at in self._stream.between(room.name, room.last_seq, upto):
            if not self._control.is_current:
                # The stream answers already, or still.
                raise ParleyError(ErrorCode.UNAVAILABLE, "it is not known yet who may be here")
            self._deliver(room, seq, message, stored_at)

    def _deliver(self, room: Room, seq: int, message: ChatMessage, stored_at: float) -> None:
        # Not the stream's word for the one before: the stream forgets old messages, and then says 0.
        stored = StoredMessage.of(message, room=room.name, seq=seq, prev=room.last_seq)
        room.last_seq = seq
        self._fan_out.deliver(room, stored, stored_at=stored_at)


async def _insisting(room: Room, ask: Callable[[], Awaitable[T]]) -> T | None:
    """What `ask` returns; asked again while the stream does not answer, and None if `room` was closed meanwhile.

    Nothing newer may overtake what is missing, and while the stream does not answer there is nothing newer.
    """
    pause = _SHORTEST_PAUSE
    while room.subscription is not None:
        try:
            return await ask()
        except ParleyError as error:
            log.warning("cannot read what is missing yet", code=error.code)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
    return None
