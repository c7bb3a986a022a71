"""A clock finer than the event loop's, whose timers are rounded to milliseconds."""

import asyncio
import ctypes
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_libc: Final = ctypes.CDLL(None, use_errno=True)


@contextmanager
def ticking(seconds: float, on_tick: Callable[[], None]) -> Iterator[None]:
    """Call `on_tick` every `seconds`, from the event loop; ticks that it was too late for are one.

    A timerfd (`man timerfd_create`), which Python has from 3.13 on. Raises `OSError`.
    """
    timer = _checked(_libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC))
    loop = asyncio.get_running_loop()
    try:
        whole, part = divmod(int(seconds * 1e9), 1_000_000_000)
        every = (ctypes.c_long * 4)(whole, part, whole, part)
        _checked(_libc.timerfd_settime(timer, 0, every, None))
        loop.add_reader(timer, _ticked, timer, on_tick)
        yield
    finally:
        loop.remove_reader(timer)
        os.close(timer)


def _ticked(timer: int, on_tick: Callable[[], None]) -> None:
    os.read(timer, 8)
    on_tick()


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"timerfd: {os.strerror(number)}")
    return result
