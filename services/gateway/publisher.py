"""From a client to the stream: acknowledged once it is stored, and stored once however often it is sent."""

import asyncio
import time
from typing import Final

import structlog

from runtime import pub_ack
from runtime.bus import Bus
from runtime.listening import Delivery
from runtime.pub_ack import NotStoredError, PubAck
from runtime.stream import MessageStream
from services.gateway import metrics
from services.gateway.call import Call
from services.gateway.replies import Sent
from wire import codec, headers, subjects
from wire.errors import ErrorCode, ParleyError
from wire.messages import ChatMessage

log = structlog.get_logger()


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

    def publish(self, room: str, message: ChatMessage, call: Call) -> None:
        """Store `message` in `room`, then answer `call`; messages leave in the order of the calls.

        Answers or raises `ParleyError`: unavailable means that it may have been stored, and is to be sent again with
        the same id; rate_limited means that it was not.
        """
        if self._in_flight >= self._most:
            raise ParleyError(ErrorCode.RATE_LIMITED, "too many messages wait to be stored", retry_after=1)
        publishing = _Publishing(self, message, call)
        identity = headers.identified(headers.message_id(message.author.id, room, message.id))
        payload = codec.encode(message)
        self._bus.call(subjects.stored_message(room), payload, publishing, timeout=self._timeout, headers=identity)
        call.connection.event_began()
        self._in_flight += 1

    def answered(self, publishing: "_Publishing", answer: Delivery | ParleyError) -> None:
        """The stream has stored it, or has not, or does not say."""
        call, message = publishing.call, publishing.message
        result: str = ErrorCode.UNAVAILABLE
        try:
            ack = _read(answer)
        except ParleyError as error:
            self._ended(call)
            if isinstance(error, NotStoredError):
                result = "refused"
                self._note_refusal(error.message)
            call.failed(error)
        else:
            result = "duplicate" if ack.duplicate else "ok"
            if ack.duplicate:
                task = asyncio.ensure_future(self._answer_duplicate(call, message, ack.seq))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                self._note_refusal(None)
                self._ended(call)
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
        finally:
            self._ended(call)

    def _ended(self, call: Call) -> None:
        self._in_flight -= 1
        call.connection.event_ended()

    def _note_refusal(self, reason: str | None) -> None:
        # One line when it begins, and one when it ends: a full stream refuses everything.
        if reason is not None and not self._is_refused:
            log.error("the stream takes no messages", reason=reason)
        elif reason is None and self._is_refused:
            log.info("the stream takes messages again")
        self._is_refused = reason is not None


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


def _read(answer: Delivery | ParleyError) -> PubAck:
    """The acknowledgement of a message that is stored; raises `ParleyError`."""
    if isinstance(answer, ParleyError):
        raise answer
    return pub_ack.read(answer.data)
