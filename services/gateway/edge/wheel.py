"""A timer wheel: one timer for any number of things that are due later."""

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import structlog

T = TypeVar("T")

_STOPPED_SECONDS: Final = 1.0

log = structlog.get_logger()


class Wheel(Generic[T]):
    """Hands what was added to `due` when its time has come: never before, and at most one `tick` (seconds) late.

    Nothing can be taken out: `due` has to ignore what is no longer of interest. An item costs one place in a list.

    If it `skips_stops`, time in which the process did not run does not count: a process that was stopped for half a
    minute would find all its clients' answers overdue before it has read one of them.
    """

    def __init__(self, due: Callable[[T], None], *, tick: float, skips_stops: bool = True) -> None:
        self._due = due
        self._tick = tick
        self._skips_stops = skips_stops
        self._slots: dict[int, list[T]] = {}
        self._next = 0
        self._stopped = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def add(self, item: T, delay: float) -> None:
        """Hand `item` to `due` in `delay` seconds."""
        now = self._now()
        if self._timer is None:
            self._next = int(now / self._tick) + 1
            self._arm(now)
        number = max(int((now + delay) / self._tick) + 1, self._next)
        slot = self._slots.get(number)
        if slot is None:
            self._slots[number] = [item]
        else:
            slot.append(item)

    def stop(self) -> None:
        """Forget everything."""
        self._slots.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _now(self) -> float:
        return self._loop.time() - self._stopped

    def _arm(self, now: float) -> None:
        delay = self._next * self._tick - now
        self._timer = self._loop.call_later(max(delay, 0), self._turn)

    def _turn(self) -> None:
        now = self._now()
        late = now - self._next * self._tick
        if late > _STOPPED_SECONDS and self._skips_stops:
            self._stopped += late
            now -= late
        last = int(now / self._tick)
        while self._next <= last:
            slot = self._slots.pop(self._next, ())
            self._next += 1  # what `due` adds again goes to a later slot
            for item in slot:
                try:
                    self._due(item)
                except Exception:
                    log.exception("what was due failed")  # the others are due all the same
        if self._slots:
            self._arm(now)
        else:
            self._timer = None
