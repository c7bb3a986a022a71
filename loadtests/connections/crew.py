"""The holders: processes of their own, what they are told, and what they report every second."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from typing import Final, Self

import msgspec

from deploy.local.stack import ROOT
from loadtests import facts
from loadtests.connections import orders
from loadtests.facts import Facts
from loadtests.generator import host
from loadtests.timeline import Timeline

_LIMIT: Final = 1 << 24
_END_SECONDS: Final = 10.0
_HAND_OVER_SECONDS: Final = 180.0
"""Ten minutes of ten thousand connections are some tens of megabytes."""


class Hand:
    """One holder."""

    def __init__(self, setup: orders.Setup) -> None:
        self.setup = setup
        self.generator = facts.Process(setup.name, host())
        self.connected = 0
        self.is_settled = False
        self.reported = 0.0
        """When, in seconds of the epoch."""
        self.facts: Facts | None = None
        self.process: Process | None = None
        self.reading: asyncio.Task[None] | None = None

    @property
    def is_there(self) -> bool:
        """Whether it still holds, or has handed over."""
        return self.facts is not None or (self.reading is not None and not self.reading.done())

    async def tell(self, order: orders.Order) -> None:
        """Who is gone is told nothing."""
        if self.process is None or self.process.stdin is None:
            return
        try:
            self.process.stdin.write(orders.packed(order))
            await self.process.stdin.drain()
        except ConnectionError:
            return

    async def end(self) -> None:
        """Reap it; one that does not end by itself is killed."""
        if self.process is None:
            return
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self.process.wait()
        except TimeoutError:
            pass
        finally:
            if self.process.returncode is None:
                self.process.kill()
                await self.process.wait()
            if self.reading is not None:
                self.reading.cancel()


class Crew:
    """A context manager: all holders, which begin to connect; none is left after it."""

    def __init__(self, setups: Sequence[orders.Setup]) -> None:
        self.hands = [Hand(each) for each in setups]
        self.timeline = Timeline()
        """Of all, as far as it was reported."""

    async def __aenter__(self) -> Self:
        """Raises `OSError`."""
        try:
            for hand in self.hands:
                # Ctrl-C reaches the conductor alone, who has the holders end in order.
                hand.process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "loadtests.connections.holder",
                    cwd=ROOT, stdin=PIPE, stdout=PIPE, limit=_LIMIT, start_new_session=True,
                )  # fmt: skip
                hand.reading = asyncio.create_task(self._read(hand))
                await hand.tell(hand.setup)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End them."""
        await asyncio.gather(*(hand.end() for hand in self.hands))

    @property
    def size(self) -> int:
        """How many connections there are to be."""
        return sum(len(hand.setup.tokens) for hand in self.hands)

    @property
    def connected(self) -> int:
        """In their rooms."""
        return sum(hand.connected for hand in self.hands)

    @property
    def is_settled(self) -> bool:
        """Whether everything has arrived, for all that still hold and all of theirs, as they reported last."""
        there = [hand for hand in self.hands if hand.is_there]
        return all(hand.is_settled and hand.connected == len(hand.setup.tokens) for hand in there)

    @property
    def reported(self) -> float:
        """Until when all have reported that still hold; in seconds of the epoch."""
        return min((hand.reported for hand in self.hands if hand.is_there), default=time.time())

    @property
    def generators(self) -> list[facts.Process]:
        """What each has used so far."""
        return [hand.generator for hand in self.hands]

    @property
    def is_lost(self) -> bool:
        """Whether any has ended by itself."""
        return not all(hand.is_there for hand in self.hands)

    @property
    def busiest(self) -> float | None:
        """The CPU of the busiest in its last second, in percent of a core."""
        used = [hand.generator.usage[-1].cpu_percent for hand in self.hands if hand.generator.usage]
        return max(used, default=None)

    async def rate(self, messages: float) -> None:
        """So many messages a second, of all together: each has its share."""
        for hand in self.hands:
            await hand.tell(orders.Rate(messages * len(hand.setup.tokens) / self.size))

    async def close(self) -> None:
        """Nothing new is to be sent."""
        for hand in self.hands:
            await hand.tell(orders.Close())

    async def finish(self) -> Facts:
        """What all hand over; that one is missing is in it, as a reason why the run is not valid."""
        found = Facts(timeline=self.timeline, settled=True)
        for hand in self.hands:
            await hand.tell(orders.Finish())
        reading = [hand.reading for hand in self.hands if hand.reading is not None]
        if reading:
            await asyncio.wait(reading, timeout=_HAND_OVER_SECONDS)
        for hand in self.hands:
            if hand.facts is not None:
                found.add(hand.facts)
                continue
            await hand.end()
            code = hand.process.returncode if hand.process is not None else None
            found.generators.append(hand.generator)
            found.settled = False
            found.invalid.append(f"{hand.setup.name} was lost, with all that it knew (exit code {code})")
        return found

    async def _read(self, hand: Hand) -> None:
        if hand.process is None or hand.process.stdout is None:
            return
        while True:
            try:
                told = await orders.next_told(hand.process.stdout)
            except msgspec.MsgspecError:
                return
            match told:
                case orders.Report(timeline, usage, connected, settled):
                    self.timeline.add(timeline)
                    hand.generator.usage.append(usage)
                    hand.connected, hand.is_settled, hand.reported = connected, settled, time.time()
                case orders.Done(handed):
                    hand.facts = handed
                    return
                case _:
                    return
