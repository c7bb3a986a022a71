"""From NATS to the members of a room."""

import asyncio
from datetime import UTC, datetime
from typing import Final

import structlog
from nats.aio.msg import Msg

from runtime.stream import MessageStream
from services.gateway import metrics
from services.gateway.fanout import FanOut
from services.gateway.protocol import EventShown, TypingShown
from services.gateway.rooms import Room
from wire import codec, headers
from wire.errors import ParleyError
from wire.messages import ChatMessage, RoomEvent, RoomLive, StoredMessage, Typing

_PAUSES: Final = (0.1, 0.5, 2.0, 5.0)
"""Seconds between attempts to fill a hole."""

log = structlog.get_logger()

_decoder: codec.Decoder[RoomLive] = codec.Decoder(RoomLive)  # type: ignore[arg-type] # a union


class Relay:
    """Decodes what is live in a room, puts it in its place, and delivers it: every message once, in order.

    What comes live may have holes: NATS delivers at most once, and nothing to a gateway that is cut off. A hole shows
    by the seq that a message names as the one before it, and is filled from the stream before anything newer.
    """

    def __init__(self, fan_out: FanOut, stream: MessageStream) -> None:
        self._fan_out = fan_out
        self._stream = stream

    async def on_live(self, room: Room, message: Msg) -> None:
        """Deliver one live message of `room`. Never raises: the next one must come."""
        metrics.live_bytes.inc(len(message.data))
        try:
            live = _decoder.decode(message.data)
            match live:
                case ChatMessage():
                    metrics.live_messages.labels(kind="message").inc()
                    await self._on_message(room, live, headers.position(message.headers or {}))
                case Typing():
                    metrics.live_messages.labels(kind="typing").inc()
                    self._fan_out.deliver(room, TypingShown(room.name, live.user, live.active), skip=live.origin)
                case RoomEvent():
                    metrics.live_messages.labels(kind="event").inc()
                    shown = EventShown(room.name, live.name, live.data, live.user)
                    self._fan_out.deliver(room, shown, skip=live.origin)
        except (codec.WireError, KeyError, ValueError) as error:
            metrics.live_unreadable.inc()
            log.warning("unreadable live message", subject=message.subject, error=repr(error))

    async def catch_up(self, room: Room) -> None:
        """Deliver what the stream holds of `room` and was not heard. Never raises."""
        async with room.lock:
            try:
                last = await self._stream.last_seq(room.name)
            except ParleyError as error:
                log.warning("cannot catch up", code=error.code)
                return
            await self._fill(room, last)

    async def _on_message(self, room: Room, message: ChatMessage, position: headers.Position) -> None:
        if room.opening is not None:
            # Nobody is in yet, and the first to come in is told of it by its join.
            room.last_seq = max(room.last_seq, position.seq)
            return
        async with room.lock:
            await self._fill(room, position.prev)
            if position.seq > room.last_seq:
                self._deliver(room, position.seq, message)
                stored_at = datetime.fromisoformat(position.stored_at)
                metrics.delivery_latency.observe(max(0.0, (datetime.now(UTC) - stored_at).total_seconds()))

    async def _fill(self, room: Room, upto: int) -> None:
        if upto <= room.last_seq:
            return
        metrics.gaps_found.inc()
        for pause in _PAUSES:
            try:
                async for seq, message in self._stream.between(room.name, room.last_seq, upto):
                    self._deliver(room, seq, message)
            except ParleyError as error:
                log.warning("a hole is not filled yet", code=error.code)
                await asyncio.sleep(pause)
            else:
                metrics.gaps_healed.inc()
                return
        metrics.gaps_unhealable.inc()
        log.error("a hole cannot be filled, members see it by prev", after=room.last_seq, upto=upto)
        room.last_seq = upto

    def _deliver(self, room: Room, seq: int, message: ChatMessage) -> None:
        # Not the stream's word for the one before: the stream forgets old messages, and then says 0.
        stored = StoredMessage.of(message, room=room.name, seq=seq, prev=room.last_seq)
        room.last_seq = seq
        self._fan_out.deliver(room, stored)
