"""Python's cyclic garbage collector, told what kind of program this is.

A gateway holds hundreds of thousands of objects for hours, and nearly everything else dies by its reference count. By
default the collector walks all of them again and again in search of cycles that are not there.

There are some: an exception that is kept by what its traceback leads to, as aiohttp does with what it finds wrong
with a request. They are few by their number, which is all that the collector counts, but each may hold the hundred
kilobytes that a stranger sent: left to a count, they would be a gigabyte before it comes. So it comes by the clock.
"""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_YOUNG_MOST: Final = 200_000
"""So many more objects than before, those of some thousands of clients, start a collection of the young."""
_YOUNG_A_MIDDLE: Final = 20
_MIDDLES_A_FULL: Final = 50

_LOOK_SECONDS: Final = 1.0
_WORTH_IT: Final = 1_000
"""New objects: fewer are not looked through, and take less than a millisecond when there are more."""
_LOOKS_A_MIDDLE: Final = 60
_LOOKS_A_FULL: Final = 1_800
"""The only look at everything: some milliseconds for thousands of clients, twice an hour."""


def settle() -> None:
    """To be called once a process has started: what it has made so far stays, and is never walked again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_MOST, _YOUNG_A_MIDDLE, _MIDDLES_A_FULL)


@contextmanager
def regularly() -> Iterator[None]:
    """Within it, cycles of what lived briefly go within two seconds of their end; of what lived longer, later."""
    looks = _Looks()
    try:
        yield
    finally:
        looks.timer.cancel()


class _Looks:
    def __init__(self) -> None:
        self._count = 0
        self._loop = asyncio.get_running_loop()
        self.timer = self._loop.call_later(_LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self.timer = self._loop.call_later(_LOOK_SECONDS, self._look)
        self._count += 1
        if self._count % _LOOKS_A_FULL == 0:
            gc.collect()
        elif self._count % _LOOKS_A_MIDDLE == 0:
            gc.collect(1)
        elif gc.get_count()[0] >= _WORTH_IT:
            gc.collect(0)
