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
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError

from runtime.bus import Bus
from runtime.stream import Entry
from services.history import metrics
from services.history.settings import HistorySettings
from services.history.store import MessageStore, WriteFailedError
from wire import codec, streams, subjects
from wire.messages import ChatMessage

_FETCH_SECONDS: Final = 1.0
_SHORTEST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_WATCH_SECONDS: Final = 1.0

log = structlog.get_logger()


class Persister:
    """Runs until it is cancelled, through every outage of NATS and of MongoDB."""

    def __init__(self, bus: Bus, store: MessageStore, settings: HistorySettings) -> None:
        self._bus = bus
        self._store = store
        self._settings = settings
        self._decoder = codec.Decoder(ChatMessage)
        self._consuming = False
        self._persisted_upto = 0
        self._oldest_waiting: float | None = None

    async def why_not_ready(self) -> str | None:
        """A readiness check: the stream and its consumer are there."""
        return None if self._consuming else "not consuming the message stream yet"

    async def persisted_upto(self, *, at_least: int) -> int:
        """A seq up to which every message of every room is in MongoDB; asks NATS only if `at_least` is not reached.

        Raises `NatsError` when the consumer does not answer.
        """
        if self._persisted_upto < at_least:
            await self._look()
        return self._persisted_upto

    async def run(self) -> None:
        """Persist for ever."""
        pause = _SHORTEST_PAUSE
        while True:
            try:
                await self._declare()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._consume())
                    tasks.create_task(self._watch())
            except* (NatsError, TimeoutError, OSError, WriteFailedError) as group:
                log.warning("persisting interrupted", errors=[repr(each) for each in group.exceptions])
            pause = _SHORTEST_PAUSE if self._consuming else min(pause * 2, _LONGEST_PAUSE)
            self._consuming = False
            await asyncio.sleep(pause)

    async def _declare(self) -> None:
        """Make or update the stream and the consumer.

        A stream that has to be made starts above everything that history holds, so that a seq is never used twice
        even when NATS has lost its disk.
        """
        await self._store.prepare()
        manager = self._bus.jetstream
        try:
            info = await manager.stream_info(streams.MESSAGES)
            first_seq = info.config.first_seq or 1
        except NotFoundError:
            first_seq = await self._store.highest_seq() + 1
            await manager.add_stream(self._stream(first_seq))
            self._persisted_upto = 0
            log.info("stream made", stream=streams.MESSAGES, first_seq=first_seq)
        else:
            await manager.update_stream(self._stream(first_seq))
        await manager.add_consumer(streams.MESSAGES, streams.history_consumer())

    def _stream(self, first_seq: int) -> StreamConfig:
        return streams.messages(
            replicas=self._settings.messages_replicas,
            max_age=self._settings.messages_max_age_days * 86_400,
            dedupe_window=self._settings.dedupe_window_seconds,
            first_seq=first_seq,
        )

    async def _consume(self) -> None:
        subscription = await self._bus.jetstream.pull_subscribe_bind(
            durable=streams.HISTORY_CONSUMER, stream=streams.MESSAGES
        )
        self._consuming = True
        try:
            while True:
                await self._consume_batch(subscription)
        finally:
            if self._bus.client.is_connected:
                await subscription.unsubscribe()

    async def _consume_batch(self, subscription: JetStreamContext.PullSubscription) -> None:
        try:
            batch = await subscription.fetch(self._settings.batch_size, timeout=_FETCH_SECONDS)
        except NatsTimeoutError:
            return
        started = time.perf_counter()
        metrics.batch_size.observe(len(batch))
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
        if readable:
            self._oldest_waiting = readable[0][1].message.ts / 1000
        pause = _SHORTEST_PAUSE
        while True:
            try:
                for message, reason in poison:
                    seq = message.metadata.sequence.stream
                    await self._store.add_dead_letter(seq, message.subject, message.data, reason)
                new = await self._store.add(readable) if readable else 0
                break
            except WriteFailedError as error:
                metrics.write_failures.inc()
                log.warning("MongoDB does not take a batch, trying again", error=str(error), messages=len(batch))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        self._oldest_waiting = None
        metrics.persisted.inc(new)
        metrics.already_persisted.inc(len(readable) - new)
        if poison:
            metrics.dead_letters.inc(len(poison))
            log.error("unreadable messages kept aside", seqs=[each.metadata.sequence.stream for each, _ in poison])

    async def _watch(self) -> None:
        """Keep the lag up to date; notices a stream or consumer that is gone, which a pull alone does not."""
        while True:
            try:
                await self._look()
            except NotFoundError:
                raise
            except (NatsError, TimeoutError) as error:
                log.debug("no consumer info", error=repr(error))
            await asyncio.sleep(_WATCH_SECONDS)

    async def _look(self) -> None:
        info = await self._bus.jetstream.consumer_info(streams.MESSAGES, streams.HISTORY_CONSUMER)
        if info.ack_floor is not None:
            self._persisted_upto = max(self._persisted_upto, info.ack_floor.stream_seq)
        metrics.lag_messages.set((info.num_pending or 0) + (info.num_ack_pending or 0))
        waiting = self._oldest_waiting
        metrics.lag_seconds.set(0 if waiting is None else max(0.0, time.time() - waiting))
