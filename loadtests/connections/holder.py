"""A holder, `python -m loadtests.connections.holder`: orders come in on stdin, reports go out on stdout.

It ends when it is told to finish, or when stdin ends: with whoever started it.
"""

import asyncio
import gc
import os
import signal
import sys
import time
import traceback
from typing import Any, Final

import uvloop

from loadtests import kinds
from loadtests.connections import orders
from loadtests.connections.book import Book
from loadtests.connections.pace import Pace
from loadtests.connections.seat import Seat
from loadtests.connections.target import Target
from loadtests.facts import Facts
from loadtests.generator import Meter, host
from loadtests.light.ticks import ticking
from loadtests.preflight import raise_file_limit

_TICK_SECONDS: Final = 0.001
"""What falls due within goes together; a finer clock would take its time from the rest."""
_CRASHES_MOST: Final = 20
_GONE_SECONDS: Final = 5.0


def main() -> int:
    """Hold, until told to finish."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the conductor's
    gc.set_threshold(50_000, 20, 50)  # the account only grows: looking through it again and again finds nothing
    raise_file_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main())
    return 0


async def _main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    setup = await orders.next_order(reader)
    if not isinstance(setup, orders.Setup):
        return
    holder = Holder(setup)
    loop.set_exception_handler(holder.on_crash)
    await holder.run(reader)


class Holder:
    """Who is held, by one process."""

    def __init__(self, setup: orders.Setup) -> None:
        self._book = Book(host())
        self._meter = Meter(setup.name)
        self._targets = [Target(url, setup.sources) for url in setup.urls]
        self._seats = [self._seat(setup, number, token) for number, token in enumerate(setup.tokens, setup.first)]
        self._speakers = _turns(len(self._seats), setup.room_size)
        self._pace = Pace(setup.index / setup.count)
        self._arrivals = Pace(setup.index / setup.count)
        self._connect_rate = setup.connect_rate
        self._arrived = 0
        self._turn = 0
        self._ticked = time.monotonic()
        self._lag = 0.0
        self._crashes: list[str] = []

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Until told to finish, or until nobody tells anything any more."""
        for each in self._targets:
            await each.resolve()
        self._arrivals.set(self._connect_rate, time.monotonic())
        reporting = asyncio.create_task(self._report())
        reporting.add_done_callback(self._on_report_end)
        try:
            with ticking(_TICK_SECONDS, self._tick):
                while True:
                    match await orders.next_order(reader):
                        case orders.Rate(rate):
                            self._pace.set(rate, time.monotonic())
                        case orders.Close():
                            self._pace.set(0.0, time.monotonic())
                            self._arrived = len(self._seats)
                        case orders.Finish():
                            reporting.cancel()
                            await _write(orders.packed(orders.Done(self._facts())))
                            break
                        case _:
                            break
        finally:
            reporting.cancel()
            await self._leave()

    def _on_report_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crashes.append("".join(traceback.format_exception(error)))

    def on_crash(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception that nobody expected: a defect of the load test."""
        error = context.get("exception")
        text = context["message"] if error is None else "".join(traceback.format_exception(error))
        if len(self._crashes) < _CRASHES_MOST:
            self._crashes.append(text)

    def _seat(self, setup: orders.Setup, number: int, token: str) -> Seat:
        room = f"{setup.run}-{number // setup.room_size}"
        return Seat(f"{setup.run}-{number}", room, token, self._targets[number % len(self._targets)], self._book)

    def _tick(self) -> None:
        now = time.monotonic()
        self._lag = max(self._lag, now - self._ticked - _TICK_SECONDS)
        self._ticked = now
        if self._arrived < len(self._seats):
            for _ in self._arrivals.due(now):
                if self._arrived < len(self._seats):
                    self._seats[self._arrived].come()
                    self._arrived += 1
        for due in self._pace.due(now):
            self._seats[self._speakers[self._turn]].say(due)
            self._turn = (self._turn + 1) % len(self._speakers)

    async def _report(self) -> None:
        while True:
            # Shortly after a second begins, so that the one before is whole.
            await asyncio.sleep(1.05 - time.time() % 1)
            now = time.monotonic()
            self._book.set_clock()
            for seat in self._seats:
                seat.look(now)
            connected = sum(seat.is_in for seat in self._seats)
            wall = time.time()
            timeline = self._book.timeline.taken(wall)
            for name, value in ((kinds.CONNECTED, connected), (kinds.USERS, self._arrived)):
                timeline.level(name, value, wall - 1)
            usage = self._meter.usage(self._lag)
            self._lag = 0.0
            await _write(orders.packed(orders.Report(timeline, usage, connected, self._book.ledger.is_settled)))

    def _facts(self) -> Facts:
        away = sum(seat.is_away for seat in self._seats)
        for _ in range(away):
            self._book.failed(kinds.RECONNECT, kinds.NOT_BACK)
        return Facts(
            account=self._book.ledger.account,
            timeline=self._book.timeline,
            generators=[self._meter.process],
            gateways=dict(self._book.greeted),
            settled=self._book.ledger.is_settled and not away,
            crashes=self._crashes,
        )

    async def _leave(self) -> None:
        for seat in self._seats:
            seat.leave()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=_GONE_SECONDS)


def _turns(seats: int, room_size: int) -> list[int]:
    """Who speaks when: one room after the other, and in each one member after the other."""
    return [number for first in range(room_size) for number in range(first, seats, room_size)]


async def _write(data: bytes) -> None:
    """To stdout, as a pipe that is read; not in the loop, which goes on meanwhile."""
    await asyncio.to_thread(_write_all, data)


def _write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sys.stdout.fileno(), view) :]


if __name__ == "__main__":
    sys.exit(main())
