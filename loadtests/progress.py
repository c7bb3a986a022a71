"""How a run is doing, while it runs: one line, for a person at a terminal or for a log."""

import math
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TextIO

from loadtests import kinds
from loadtests.timeline import Timeline, sum_of

_LOG_SECONDS: Final = 10.0


class Progress:
    """On a terminal one line is written over and over, cut to its width.

    Elsewhere there is a new one every 10 s, and one when a phase begins.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._next = -math.inf
        self._phase = ""
        self._is_open = False

    def show(  # noqa: PLR0917 - the order is that of the line
        self,
        elapsed_seconds: float,
        phase_name: str,
        timeline_of_last_seconds: Timeline,
        connected: float,
        users: float,
        cpu_percent: float | None,
    ) -> None:
        """Say it, if it is time to. `cpu_percent` is of the busiest generator, of one core."""
        now = self._clock()
        if not self._is_terminal and now < self._next and phase_name == self._phase:
            return
        self._next, self._phase = now + _LOG_SECONDS, phase_name
        text = line(elapsed_seconds, phase_name, timeline_of_last_seconds, connected, users, cpu_percent)
        if self._is_terminal:
            self._say(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}")
            self._is_open = True
        else:
            self._say(f"{text}\n")

    def _say(self, text: str) -> None:
        with suppress(OSError):  # a terminal that was closed is no reason to end a run
            self._stream.write(text)
            self._stream.flush()

    def end(self) -> None:
        """Nothing more will be shown: what is written next begins on a line of its own."""
        if self._is_open:
            self._say("\n")
            self._is_open = False


def line(  # noqa: PLR0917 - as above
    elapsed_seconds: float,
    phase_name: str,
    timeline: Timeline,
    connected: float,
    users: float,
    cpu_percent: float | None,
) -> str:
    """All on one line. Rates and percentiles are those of the seconds in `timeline`."""
    numbers = timeline.seconds
    span = max(1, max(numbers) - min(numbers) + 1) if numbers else 1
    minutes, seconds = divmod(int(elapsed_seconds), 60)
    messages = timeline.total(kinds.MESSAGE)
    failed = sum_of(timeline.total(kind) for kind in timeline.kinds()).failed
    drops = timeline.counted(kinds.DROPS)
    parts = [
        f"{minutes:d}:{seconds:02d} {phase_name}",
        f"{connected:,.0f} of {users:,.0f} connected",
        f"{messages.succeeded / span:,.0f} messages/s",
        f"{timeline.counted(kinds.DELIVERIES) / span:,.0f} deliveries/s",
        f"ack p99 {_milliseconds(messages.percentile(0.99))}",
        f"end to end p99 {_milliseconds(timeline.total(kinds.DELIVERY).percentile(0.99))}",
    ]
    parts += [f"{failed:,} FAILED"] if failed else []
    parts += [f"{drops:,} DROPPED"] if drops else []
    parts += [f"generator {cpu_percent:.0f} %"] if cpu_percent is not None else []
    return " | ".join(parts)


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:,.0f} ms"
