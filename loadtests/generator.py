"""What a process that makes load uses itself, and on which host it is."""

import hashlib
import os
import platform
import sys
import time
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from loadtests.facts import Process, Usage

_PROC: Final = Path("/proc")
_LEAST_SECONDS: Final = 1e-3


@cache
def host() -> str:
    """Which host this is: processes with the same one have the same monotonic clock. Twelve letters and digits.

    Of Linux's boot id, which containers on one machine share as they share the clock, unless they have a clock of
    their own (a time namespace). Elsewhere of the machine's name and address.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        with suppress(OSError):
            boot += os.readlink(_PROC / "self/ns/time")  # noqa: PTH115 - what is wanted is the text of the link
    except OSError:
        boot = f"{platform.node()} {uuid.getnode()}"
    return hashlib.sha256(boot.encode()).hexdigest()[:12]


class Meter:
    """Measures the process that it is made in; made in the process's first thread, where its loop runs."""

    def __init__(self, name: str) -> None:
        self.process: Final = Process(name=name, host=host())
        """Has all usage so far."""
        self._cpu, self._waited, self._at = _cpu_seconds(), _waited_seconds(), time.monotonic()

    def usage(self, lag_seconds: float | None = None) -> Usage:
        """Since the last call, or since the meter was made; to be called every second. Never raises.

        `lag_seconds` is the worst of that time: what the caller has measured with its own loop.
        """
        cpu, waited, at = _cpu_seconds(), _waited_seconds(), time.monotonic()
        passed = max(at - self._at, _LEAST_SECONDS)
        share = None if waited is None or self._waited is None else _percent(waited - self._waited, passed)
        used = Usage(
            at=int(time.time() - passed / 2),  # the second in which most of it lies
            cpu_percent=_percent(cpu - self._cpu, passed),
            memory_bytes=_memory_bytes(),
            lag_seconds=lag_seconds,
            waiting_percent=share,
        )
        self._cpu, self._waited, self._at = cpu, waited, at
        self.process.usage.append(used)
        return used


def _percent(part: float, whole: float) -> float:
    return round(100 * max(part, 0.0) / whole, 1)


def _cpu_seconds() -> float:
    """Of all threads, in user and system mode."""
    return time.process_time()


def _waited_seconds() -> float | None:
    """Of the first thread: ready to run, and not running. A kernel need not keep account of it."""
    try:
        return int((_PROC / "self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def _memory_bytes() -> int:
    """Resident now; where there is no /proc, the most that it ever was."""
    try:
        return int((_PROC / "self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        import resource  # noqa: PLC0415 - not on every system

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
