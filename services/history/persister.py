"""From the stream to MongoDB: fetch a batch, write it, and only then acknowledge it.

A crash at any point between makes the stream deliver the batch again, to this or another instance, and writing it
again changes nothing. So everything acknowledged to a sender ends up in MongoDB once.
"""

import asyncio
import time
from typing import Final

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from runtime import tracing
from runtime.bus import Bus
from runtime.stream import Entry
from services.history import metrics
from services.history.consumer import acknowledged_upto
from services.history.progress import Progress
from services.history.refusals import RefusedError, WriteFailedError
from services.history.store import MessageStore
from wire import codec, headers, streams, subjects
from wire.messages import ChatMessage

_FETCH_SECONDS: Final = 1.0
_SHORTEST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_ENDS_BELOW: Final = "the stream ends below what MongoDB holds, and will use seqs again: see docs/OPERATIONS.md"
_ATTRIBUTES: Final[tracing.Attributes] = {
    "messaging.system": "nats",
    "messaging.operation.name": "persist",
    "messaging.operation.type": "process",
    "messaging.destination.template": subjects.stored_message("{room}"),
}

log = structlog.get_logger()


class Persister:
    """Runs until it is told to stop, through every outage of NATS and of MongoDB."""

    def __init__(self, bus: Bus, store: MessageStore, progress: Progress, *, batch_size: int) -> None:
        self._bus = bus
        self._store = store
        self._batch_size = batch_size
        self._missing = ""
        self._decoder = codec.Decoder(ChatMessage)
        self._consuming = False
        self._stopping = False
        self._progress = progress

    async def why_not_ready(self) -> str | None:
        """A readiness check: the stream, its consumer and the indexes are there."""
        if self._consuming:
            return None
        return _lacking(self._missing) if self._missing else "not consuming the message stream yet"

    async def run(self) -> None:
        """Persist until `stop`; returns once the batch in hand is written and acknowledged. May be cancelled."""
        pause = _SHORTEST_PAUSE
        while not self._stopping:
            try:
                self._note_missing(await self._what_is_missing())
                if not self._missing:
                    await self._consume()
            except (NatsError, TimeoutError, OSError, WriteFailedError) as error:
                log.warning("persisting interrupted", error=type(error).__name__, detail=str(error))
            pause = _SHORTEST_PAUSE if self._consuming else min(pause * 2, _LONGEST_PAUSE)
            self._consuming = False
            await asyncio.sleep(pause)

    def stop(self) -> None:
        """Ask for no more."""
        # What has been delivered is written: nobody else would get it for as long as an acknowledgement may take.
        self._stopping = True

    async def _what_is_missing(self) -> str:
        """What only the admin step can make; "" when all of it is there."""
        manager = self._bus.jetstream
        try:
            stream = await manager.stream_info(streams.MESSAGES)
        except NotFoundError:
            # The step lets a new stream start above what MongoDB knows of, which may be less than what is known here.
            if self._progress.highest_seen:
                await self._store.note_seq(self._progress.highest_seen)
            return f"the stream {streams.MESSAGES}"
        try:
            consumer = await manager.consumer_info(streams.MESSAGES, streams.HISTORY_CONSUMER)
        except NotFoundError:
            return f"the consumer {streams.HISTORY_CONSUMER}"
        if self._progress.highest_seen > stream.state.last_seq:
            await self._store.note_seq(self._progress.highest_seen)
        # Asked after the consumer: what is acknowledged was noted before.
        highest = (await self._store.known()).highest_seq
        if acknowledged_upto(stream.state, consumer) > highest:
            return "what MongoDB had before it was restored"
        metrics.stream_ends_below.set(max(0, highest - stream.state.last_seq))
        if stream.state.last_seq < highest:
            # NATS lost what it had not flushed. Nothing is gained by waiting: what the stream has is good.
            log.error(_ENDS_BELOW, last_seq=stream.state.last_seq, highest_seq=highest)
        if not await self._store.is_prepared():
            return "an index in MongoDB"
        self._progress.begin_again(consumer, last_seq=stream.state.last_seq)
        return ""

    def _note_missing(self, missing: str) -> None:
        if missing and missing != self._missing:
            log.error(_lacking(missing))
        self._missing = missing

    async def _consume(self) -> None:
        subscription = await self._bus.jetstream.pull_subscribe_bind(
            durable=streams.HISTORY_CONSUMER, stream=streams.MESSAGES
        )
        self._consuming = True
        try:
            # A batch in hand is written to the end, even when the stream it came from is gone.
            while not self._progress.is_gone and (subscription.pending_msgs or not self._stopping):
                await self._consume_batch(subscription)
        finally:
            if self._bus.client.is_connected:
                await subscription.unsubscribe()

    async def _consume_batch(self, subscription: JetStreamContext.PullSubscription) -> None:
        try:
            batch = await subscription.fetch(self._batch_size, timeout=_FETCH_SECONDS)
        except TimeoutError:  # nothing new
            return
        started = time.perf_counter()
        metrics.batch_size.observe(len(batch))
        of = ((each.headers or {}).get(headers.TRACEPARENT, "") for each in batch)
        with tracing.batch("persist messages", of, {**_ATTRIBUTES, "messaging.batch.message_count": len(batch)}):
            await self._write(batch)
        metrics.persist_duration.observe(time.perf_counter() - started)
        for message in batch:
            await message.ack()

    async def _write(self, batch: list[Msg]) -> None:
        readable: list[tuple[str, Entry]] = []
        poison: list[tuple[Msg, str]] = []
        for message in batch:
            try:
                entry = Entry(message.metadata.sequence.stream, self._decoder.decode(message.data))
                readable.append((subjects.room_of_stored(message.subject), entry))
            except codec.WireError as error:
                poison.append((message, str(error)))
        self._progress.highest_seen = max([self._progress.highest_seen, *(entry.seq for _, entry in readable)])
        new = await self._retried(readable, poison, batch)
        metrics.persisted.inc(new)
        metrics.already_persisted.inc(len(batch) - len(poison) - new)
        if poison:
            metrics.dead_letters.inc(len(poison))
            log.error("messages kept aside", seqs=[each.metadata.sequence.stream for each, _ in poison])

    async def _retried(
        self, readable: list[tuple[str, Entry]], poison: list[tuple[Msg, str]], batch: list[Msg]
    ) -> int:
        """Write until it is done, and return how many were new. What MongoDB will never take joins the poison."""
        pause, new = _SHORTEST_PAUSE, 0
        while True:
            try:
                for message, reason in poison:
                    seq = message.metadata.sequence.stream
                    await self._store.add_dead_letter(seq, message.subject, message.data, reason)
                return new + (await self._store.add(readable) if readable else 0)
            except RefusedError as error:
                new += error.added
                seqs = {each.metadata.sequence.stream: each for each in batch}
                poison += [(seqs[seq], reason) for seq, reason in error.refused.items()]
                # The others are in place, and acknowledged with the rest.
                readable = []
            except WriteFailedError as error:
                metrics.write_failures.inc()
                log.warning("MongoDB does not take a batch, trying again", error=str(error), messages=len(batch))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)


def _lacking(missing: str) -> str:
    return f"{missing} is missing: run `python -m services.history setup`"
