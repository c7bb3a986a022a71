"""From a client to the stream: acknowledged once it is stored, and stored once however often it is sent."""

import asyncio
import time
from typing import Final

import msgspec

from runtime.bus import Bus
from runtime.listening import Delivery
from runtime.stream import MessageStream
from services.gateway import metrics
from services.gateway.call import Call
from services.gateway.replies import Sent
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
        self._tasks: set[asyncio.Task[None]] = set()
        metrics.publishes_in_flight.set_function(lambda: self._in_flight)

    def publish(self, room: str, message: ChatMessage, call: Call) -> None:
        """Store `message` in `room`, then answer `call`; messages leave in the order of the calls.

        Answers or raises `ParleyError`: unavailable means that it may have been stored, and is to be sent again with
        the same id; rate_limited means that it was not.
        """
        if self._in_flight >= _IN_FLIGHT_MOST:
            raise ParleyError(ErrorCode.RATE_LIMITED, "too many messages wait to be stored", retry_after=1)
        publishing = _Publishing(self, message, call)
        identity = headers.identified(headers.message_id(message.author.id, room, message.id))
        payload = codec.encode(message)
        self._bus.call(subjects.stored_message(room), payload, publishing, timeout=self._timeout, headers=identity)
        call.connection.event_began()
        self._in_flight += 1

    def answered(self, publishing: "_Publishing", answer: Delivery | ParleyError) -> None:
        """The stream has stored it, or has not, or does not say."""
        self._in_flight -= 1
        call, message = publishing.call, publishing.message
        call.connection.event_ended()
        result: str = ErrorCode.UNAVAILABLE
        try:
            ack = _read(answer)
        except ParleyError as error:
            call.failed(error)
        else:
            result = "duplicate" if ack.duplicate else "ok"
            if ack.duplicate:
                task = asyncio.ensure_future(self._answer_duplicate(call, message, ack.seq))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                call.done(Sent(seq=ack.seq, ts=message.ts, duplicate=False))
        metrics.publish_duration[result,].observe(time.perf_counter() - publishing.since)

    async def _answer_duplicate(self, call: Call, message: ChatMessage, seq: int) -> None:
        try:
            first = await self._stream.at(seq)
        except ParleyError as error:
            call.failed(error)
        else:
            ts = message.ts if first is None else first.message.ts
            call.done(Sent(seq=seq, ts=ts, duplicate=True))


class _Publishing:
    """A message on its way to the stream; called with the answer."""

    __slots__ = ("_publisher", "call", "message", "since")

    def __init__(self, publisher: Publisher, message: ChatMessage, call: Call) -> None:
        self._publisher = publisher
        self.message: Final = message
        self.call: Final = call
        self.since: Final = time.perf_counter()

    def __call__(self, answer: Delivery | ParleyError) -> None:
        self._publisher.answered(self, answer)


def _read(answer: Delivery | ParleyError) -> _PubAck:
    """The acknowledgement of a message that is stored; raises `ParleyError`."""
    if isinstance(answer, ParleyError):
        raise answer
    try:
        ack = _decoder.decode(answer.data)
    except codec.WireError:
        raise ParleyError(ErrorCode.UNAVAILABLE, "the stream's answer cannot be read", retry_after=2) from None
    if ack.error is not None or not ack.seq:
        reason = ack.error.description if ack.error else "no sequence"
        raise ParleyError(ErrorCode.UNAVAILABLE, f"the message was not stored: {reason}", retry_after=2)
    return ack
