"""What ends a run from outside: the first signal in order, the next at once."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Interruption:
    """Ctrl-C, SIGTERM, a closed terminal: the first lets what goes on end in order if it can, the next cancels."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        """Of the event loop's signals, from now on."""
        self._task = task
        self._gently: Callable[[], None] | None = None
        self.came = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # nohup
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    @contextmanager
    def gently(self, end: Callable[[], None]) -> Iterator[None]:
        """Inside, the first signal calls `end`."""
        self._gently = end
        try:
            yield
        finally:
            self._gently = None

    def _on_signal(self) -> None:
        self.came = True
        if self._gently is not None:
            end, self._gently = self._gently, None
            end()
        else:
            self._task.cancel()
