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
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError

from runtime.bus import Bus
from runtime.stream import Entry
from services.history import metrics
from services.history.progress import Progress
from services.history.settings import HistorySettings
from services.history.store import MessageStore, RefusedError, WriteFailedError
from wire import codec, streams, subjects
from wire.messages import ChatMessage

_FETCH_SECONDS: Final = 1.0
_SHORTEST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_SEQ_MARGIN: Final = 1_000_000
"""A stream that was lost may have held this many messages that never reached history."""

log = structlog.get_logger()


class Persister:
    """Runs until it is told to stop, through every outage of NATS and of MongoDB."""

    def __init__(self, bus: Bus, store: MessageStore, progress: Progress, settings: HistorySettings) -> None:
        self._bus = bus
        self._store = store
        self._settings = settings
        self._decoder = codec.Decoder(ChatMessage)
        self._consuming = False
        self._stopping = False
        self._progress = progress

    async def why_not_ready(self) -> str | None:
        """A readiness check: the stream and its consumer are there."""
        return None if self._consuming else "not consuming the message stream yet"

    async def run(self) -> None:
        """Persist until `stop`; returns once the batch in hand is written and acknowledged. May be cancelled."""
        pause = _SHORTEST_PAUSE
        while not self._stopping:
            try:
                await self._declare()
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

    async def _declare(self) -> None:
        """Make or update the stream and the consumer.

        A stream that has to be made starts above everything that it may have held before, so that a seq is never
        used twice even when NATS has lost its disk.
        """
        await self._store.prepare()
        manager = self._bus.jetstream
        try:
            info = await manager.stream_info(streams.MESSAGES)
        except NotFoundError:
            highest = max(await self._store.highest_seq(), self._progress.highest_seen)
            first_seq = highest + _SEQ_MARGIN if highest else 1
            await manager.add_stream(self._stream(first_seq))
            self._progress.begin_again(with_new_stream=True)
            log.info("stream made", stream=streams.MESSAGES, first_seq=first_seq)
        else:
            await manager.update_stream(self._stream(info.config.first_seq or 1))
        await manager.add_consumer(streams.MESSAGES, streams.history_consumer())
        self._progress.begin_again(with_new_stream=False)

    def _stream(self, first_seq: int) -> StreamConfig:
        return streams.messages(
            replicas=self._settings.messages_replicas,
            max_age=self._settings.messages_max_age_days * 86_400,
            max_bytes=self._settings.messages_max_bytes,
            dedupe_window=self._settings.dedupe_window_seconds,
            first_seq=first_seq,
        )

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
            batch = await subscription.fetch(self._settings.batch_size, timeout=_FETCH_SECONDS)
        except TimeoutError:  # nothing new
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
        self._progress.highest_seen = max([self._progress.highest_seen, *(entry.seq for _, entry in readable)])
        if readable:
            self._progress.oldest_waiting = readable[0][1].message.ts / 1000
        new = await self._retried(readable, poison, batch)
        self._progress.oldest_waiting = None
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
