"""From whoever says something to the stream: told once it is stored, and stored once however often it is sent."""

import asyncio
import time
from typing import Final, Protocol

import structlog
from opentelemetry.trace import SpanKind

from runtime import pub_ack, tracing
from runtime.bus import Bus
from runtime.listening import Delivery
from runtime.pub_ack import NotStoredError, PubAck
from runtime.stream import MessageStream
from services.gateway import metrics
from services.gateway.replies import Sent
from wire import codec, headers, subjects
from wire.errors import ErrorCode, ParleyError
from wire.messages import ChatMessage

_ATTRIBUTES: Final[tracing.Attributes] = {
    "messaging.system": "nats",
    "messaging.operation.name": "publish",
    "messaging.operation.type": "send",
    "messaging.destination.template": subjects.stored_message("{room}"),
}

log = structlog.get_logger()


class Teller(Protocol):
    """Tells somebody what became of their message: done or failed, once; `began` and `ended` are around it."""

    def began(self) -> None:
        """It is on its way."""

    def ended(self) -> None:
        """It is not any more."""

    def done(self, reply: Sent) -> None:
        """It is stored."""

    def failed(self, error: ParleyError) -> None:
        """It is not, or nobody knows."""


class Publisher:
    """Publishes chat messages; `most` of them at once, each for `timeout` seconds at most."""

    def __init__(self, bus: Bus, stream: MessageStream, *, timeout: float, most: int) -> None:
        self._bus = bus
        self._stream = stream
        self._timeout = timeout
        self._most = most
        self._in_flight = 0
        self._is_refused = False
        """The stream did not take the last message that it answered."""
        self._tasks: set[asyncio.Task[None]] = set()
        metrics.publishes_in_flight.set_function(lambda: self._in_flight)
        metrics.publishes_in_flight_limit.set(most)

    def publish(self, room: str, message: ChatMessage, teller: Teller) -> None:
        """Store `message` in `room`, then have `teller` tell; messages leave in the order of the calls.

        Tells or raises `ParleyError`: unavailable means that it may have been stored, and is to be sent again with
        the same id; rate_limited means that it was not.
        """
        if self._in_flight >= self._most:
            raise ParleyError(ErrorCode.RATE_LIMITED, "too many messages wait to be stored", retry_after=1)
        trace = tracing.recorded_part("publish message", SpanKind.PRODUCER, _ATTRIBUTES)
        publishing = _Publishing(self, message, teller, trace)
        id = headers.message_id(message.author.id, room, message.id)
        identity = headers.identified(id, "" if trace is None else trace.traceparent)
        payload = codec.encode(message)
        try:
            subject = subjects.stored_message(room)
            self._bus.call(subject, payload, publishing, timeout=self._timeout, headers=identity)
        except ParleyError as error:
            if trace is not None:
                trace.end(error)
            raise
        teller.began()
        self._in_flight += 1

    def answered(self, publishing: "_Publishing", answer: Delivery | ParleyError) -> None:
        """The stream has stored it, or has not, or does not say."""
        teller, message = publishing.teller, publishing.message
        result: str = ErrorCode.UNAVAILABLE
        try:
            ack = _read(answer)
        except ParleyError as error:
            self._ended(teller)
            if isinstance(error, NotStoredError):
                result = "refused"
                self._note_refusal(error.message)
            if publishing.trace is not None:
                publishing.trace.failed(error.code, is_ours=True)
            teller.failed(error)
        else:
            result = "duplicate" if ack.duplicate else "ok"
            if ack.duplicate:
                task = asyncio.ensure_future(self._answer_duplicate(teller, message, ack.seq))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                self._note_refusal(None)
                self._ended(teller)
                teller.done(Sent(seq=ack.seq, ts=message.ts, duplicate=False))
        metrics.publish_duration[result,].observe(time.perf_counter() - publishing.since)
        if publishing.trace is not None:
            publishing.trace.end()

    async def _answer_duplicate(self, teller: Teller, message: ChatMessage, seq: int) -> None:
        try:
            first = await self._stream.at(seq)
        except ParleyError as error:
            teller.failed(error)
        else:
            ts = message.ts if first is None else first.message.ts
            teller.done(Sent(seq=seq, ts=ts, duplicate=True))
        finally:
            self._ended(teller)

    def _ended(self, teller: Teller) -> None:
        self._in_flight -= 1
        teller.ended()

    def _note_refusal(self, reason: str | None) -> None:
        # One line when it begins, and one when it ends: a full stream refuses everything.
        if reason is not None and not self._is_refused:
            log.error("the stream takes no messages", reason=reason)
        elif reason is None and self._is_refused:
            log.info("the stream takes messages again")
        self._is_refused = reason is not None


class _Publishing:
    """A message on its way to the stream; called with the answer."""

    __slots__ = ("_publisher", "message", "since", "teller", "trace")

    def __init__(
        self, publisher: Publisher, message: ChatMessage, teller: Teller, trace: tracing.Request | None
    ) -> None:
        self._publisher = publisher
        self.trace: Final = trace
        """None unless it is recorded."""
        self.message: Final = message
        self.teller: Final = teller
        self.since: Final = time.perf_counter()

    def __call__(self, answer: Delivery | ParleyError) -> None:
        self._publisher.answered(self, answer)


def _read(answer: Delivery | ParleyError) -> PubAck:
    """The acknowledgement of a message that is stored; raises `ParleyError`."""
    if isinstance(answer, ParleyError):
        raise answer
    return pub_ack.read(answer.data)
