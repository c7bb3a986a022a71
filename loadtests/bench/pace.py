"""An open loop: messages go at a rate, however long they take; and how long each took to each member."""

import asyncio
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loadtests.bench.audience import Audience
from loadtests.bench.flow import Speakers, acknowledged
from loadtests.bench.frames import MARK
from loadtests.bench.talker import Talker
from loadtests.light.connection import ClientError
from loadtests.light.ticks import ticking

_TICK_SECONDS: Final = 0.0005
"""At least; what falls due within goes together. A finer clock would take its time from the clients."""
_STEP_SECONDS: Final = 0.005
_DRAIN_SECONDS: Final = 30.0


@dataclass
class Latencies:
    """From sending a message to its receipt by one member, in seconds; sorted."""

    values: Sequence[float]

    def percentile_ms(self, percent: float) -> float:
        """In milliseconds; of at least one delivery."""
        index = min(len(self.values) - 1, int(len(self.values) * percent / 100))
        return self.values[index] * 1000


class Pace:
    """Says messages in `audiences`, one after the other; their talkers all listen. One run at a time."""

    def __init__(self, audiences: Sequence[Audience], talkers: Sequence[Talker], speakers: Speakers) -> None:
        self._audiences = audiences
        self._speakers = speakers
        self._sent: array[float] = array("d")
        self._latencies: array[float] = array("d")
        self._count = 0
        for each in talkers:
            each.on_message = self._on_message

    async def run(self, rate: float, seconds: float) -> int:
        """Send at `rate` a second; returns how many, when every member has got every message and all are acked."""
        self._sent, self._latencies = array("d"), array("d")
        total = max(1, int(rate * seconds))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        start = time.perf_counter()

        def say_what_is_due() -> None:
            due = min(total, int((time.perf_counter() - start) * rate) + 1)
            while len(self._sent) < due:
                self._say()
            if due == total and not done.done():
                done.set_result(None)

        with ticking(max(1 / rate, _TICK_SECONDS), say_what_is_due):
            await done
        await self._heard_by_all()
        await acknowledged(self._speakers, self._count)
        return total

    def latencies(self) -> Latencies:
        """Of the last run."""
        return Latencies(sorted(self._latencies))

    def _say(self) -> None:
        text = f"{len(self._sent)};"
        audience = self._audiences[self._count % len(self._audiences)]
        self._count += 1
        self._sent.append(time.perf_counter())
        self._speakers.say(audience, text)

    def _on_message(self, packet: bytes) -> None:
        # The number of the message stands between the quote and the semicolon before the mark.
        end = packet.index(MARK) - 1
        start = packet.rindex(b'"', 0, end) + 1
        self._latencies.append(time.perf_counter() - self._sent[int(packet[start:end])])

    async def _heard_by_all(self) -> None:
        deadline = time.perf_counter() + _DRAIN_SECONDS
        while any(each.heard < each.said for each in self._audiences):
            self._speakers.check()
            if time.perf_counter() > deadline:
                missing = sum(each.said - each.heard for each in self._audiences)
                raise ClientError(f"{missing} messages did not reach every member in time")
            await asyncio.sleep(_STEP_SECONDS)
