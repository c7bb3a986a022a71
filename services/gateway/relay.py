"""From NATS to the members of a room."""

from datetime import UTC, datetime

import structlog
from nats.aio.msg import Msg

from services.gateway import metrics
from services.gateway.fanout import FanOut
from services.gateway.protocol import EventShown, TypingShown
from services.gateway.rooms import Room
from wire import codec, headers
from wire.messages import ChatMessage, RoomEvent, RoomLive, StoredMessage, Typing

log = structlog.get_logger()

_decoder: codec.Decoder[RoomLive] = codec.Decoder(RoomLive)  # type: ignore[arg-type] # a union


class Relay:
    """Decodes what is live in a room, puts it in its place, and delivers it."""

    def __init__(self, fan_out: FanOut) -> None:
        self._fan_out = fan_out

    async def on_live(self, room: Room, message: Msg) -> None:
        """Deliver one live message of `room`. Never raises: the next one must come."""
        metrics.live_bytes.inc(len(message.data))
        try:
            live = _decoder.decode(message.data)
            match live:
                case ChatMessage():
                    metrics.live_messages.labels(kind="message").inc()
                    self._on_message(room, live, headers.position(message.headers or {}))
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

    def _on_message(self, room: Room, message: ChatMessage, position: headers.Position) -> None:
        if position.seq <= room.last_seq:
            return  # a joining member has been told of it already
        # The stream forgets old messages, and then says 0 for "the one before"; we may know better.
        prev = position.prev or room.last_seq
        room.last_seq = position.seq
        self._fan_out.deliver(room, StoredMessage.of(message, room=room.name, seq=position.seq, prev=prev))
        stored_at = datetime.fromisoformat(position.stored_at)
        metrics.delivery_latency.observe(max(0.0, (datetime.now(UTC) - stored_at).total_seconds()))
