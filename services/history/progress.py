"""How far the stream is persisted, and whether the stream and its consumer are there at all."""

import asyncio
import time
from datetime import datetime
from typing import Final

import structlog
from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from runtime.bus import Bus
from services.history import consumer, metrics
from wire import streams
from wire.codec import WireError
from wire.errors import ParleyError

_WATCH_SECONDS: Final = 1.0

log = structlog.get_logger()


class Progress:
    """What the consumer's own account says, asked of NATS now and then."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._persisted_upto = 0
        self._consumer_made: datetime | None = None
        self.highest_seen = 0
        """The highest seq of any message that this process has heard of."""
        self.is_gone = False
        """The stream or its consumer was found missing, or to be another; or the stream ends below where it did."""

    def begin_again(self, info: ConsumerInfo, *, last_seq: int) -> None:
        """The stream, which ends at `last_seq`, and its consumer, which `info` is of, are there."""
        self._note(info)
        self.highest_seen = min(self.highest_seen, last_seq)
        self.is_gone = False

    async def persisted_upto(self, *, at_least: int) -> int:
        """A seq up to which every message of every room is in MongoDB; asks NATS only if `at_least` is not reached.

        Raises `NatsError` when the consumer does not answer.
        """
        if self._persisted_upto < at_least:
            await self._look()
        return self._persisted_upto

    async def watch(self) -> None:
        """Keep the lag up to date; notices a stream or consumer that is gone, which a pull alone does not.

        And a stream that nats-server has read from a disk without its end: it goes on as if nothing had been there.
        """
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            try:
                info = await self._look()
                if consumer.delivered_upto(info) < self.highest_seen and await self._last_seq() < self.highest_seen:
                    self.is_gone = True
                await self._note_age(info)
            except NotFoundError:
                self.is_gone = True
            except (NatsError, TimeoutError, ParleyError, WireError) as error:
                log.debug("no consumer info", error=repr(error))

    async def _last_seq(self) -> int:
        return (await self._bus.jetstream.stream_info(streams.MESSAGES)).state.last_seq

    async def _look(self) -> ConsumerInfo:
        info: ConsumerInfo = await self._bus.jetstream.consumer_info(streams.MESSAGES, streams.HISTORY_CONSUMER)
        self._note(info)
        metrics.lag_messages.set(consumer.waiting(info))
        return info

    async def _note_age(self, info: ConsumerInfo) -> None:
        # Of all that wait, and not of what is in hand here: whoever fetches nothing has nothing in hand.
        oldest = await consumer.first_above_floor(self._bus, info) if consumer.waiting(info) else None
        age = 0.0 if oldest is None or oldest.time is None else time.time() - oldest.time.timestamp()
        metrics.lag_seconds.set(max(0.0, age))

    def _note(self, info: ConsumerInfo) -> None:
        if info.created != self._consumer_made:
            # Another one, of another stream perhaps, or of a database that has to be told again: nothing is done yet.
            self._consumer_made, self._persisted_upto = info.created, 0
            self.is_gone = True  # until it is looked at: it may be there again before anybody has missed it
        self.highest_seen = max(self.highest_seen, consumer.delivered_upto(info))
        self._persisted_upto = max(self._persisted_upto, consumer.floor(info))
