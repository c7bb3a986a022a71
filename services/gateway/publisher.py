"""From a client to the stream: acknowledged once it is stored, and stored once however often it is sent."""

import time
from typing import Final

import msgspec

from runtime.bus import Bus
from runtime.stream import MessageStream
from services.gateway import metrics
from services.gateway.protocol import Sent
from wire import codec, headers, subjects
from wire.errors import ErrorCode, ParleyError
from wire.messages import ChatMessage

_IN_FLIGHT_MOST: Final = 4096


class _ApiError(msgspec.Struct):
    description: str = ""


class _PubAck(msgspec.Struct):
    """JetStream's answer to a publish."""

    seq: int = 0
    duplicate: bool = False
    error: _ApiError | None = None


_decoder: Final = codec.Decoder(_PubAck)


class Publisher:
    """Publishes chat messages."""

    def __init__(self, bus: Bus, stream: MessageStream, *, timeout: float) -> None:
        self._bus = bus
        self._stream = stream
        self._timeout = timeout
        self._in_flight = 0

    async def publish(self, room: str, message: ChatMessage) -> Sent:
        """Store `message` in `room`; messages leave in the order of the calls.

        Raises `ParleyError`: unavailable means that it may have been stored, and is to be sent again with the same
        id; rate_limited means that it was not.
        """
        if self._in_flight >= _IN_FLIGHT_MOST:
            raise ParleyError(ErrorCode.RATE_LIMITED, "too many messages wait to be stored", retry_after=1)
        self._in_flight += 1
        metrics.publishes_in_flight.set(self._in_flight)
        started = time.perf_counter()
        result: str = ErrorCode.UNAVAILABLE
        try:
            ack = await self._store(room, message)
            result = "duplicate" if ack.duplicate else "ok"
        finally:
            self._in_flight -= 1
            metrics.publishes_in_flight.set(self._in_flight)
            metrics.publish_duration.labels(result=result).observe(time.perf_counter() - started)
        ts = await self._first_ts(ack.seq, message) if ack.duplicate else message.ts
        return Sent(seq=ack.seq, ts=ts, duplicate=ack.duplicate)

    async def _store(self, room: str, message: ChatMessage) -> _PubAck:
        reply = await self._bus.request(
            subjects.stored_message(room),
            codec.encode(message),
            timeout=self._timeout,
            headers=headers.identified(headers.message_id(message.author.id, room, message.id)),
        )
        ack = _decoder.decode(reply.data)
        if ack.error is not None or not ack.seq:
            reason = ack.error.description if ack.error else "no sequence"
            raise ParleyError(ErrorCode.UNAVAILABLE, f"the message was not stored: {reason}", retry_after=2)
        return ack

    async def _first_ts(self, seq: int, message: ChatMessage) -> int:
        first = await self._stream.at(seq)
        return message.ts if first is None else first.message.ts
