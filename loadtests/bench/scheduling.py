"""Who runs where and when: the server that is measured has a core to itself, and all the rest share another."""

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from loadtests.bench.machine import family, threads

_PROC: Final = Path("/proc")
_NICEST: Final = 19


def pin(pid: int, core: int) -> None:
    """Keep every thread of `pid` and of its children on `core`; threads that they start later inherit it."""
    for each in family(pid):
        for thread in threads(each):
            with suppress(OSError):
                os.sched_setaffinity(int(thread.name), {core})


def give_way(pid: int) -> None:
    """Let `pid`, and its session, run when nothing else wants its core.

    The idle policy counts among threads of one group. Where the kernel makes each session a group (autogroup), and
    every process here has a session of its own, groups are weighed against each other, whatever is in them; even the
    lightest may finish the slice of some milliseconds that it has begun. For latencies it has to be `stopped`.
    """
    for thread in threads(pid):
        with suppress(OSError):
            os.sched_setscheduler(int(thread.name), os.SCHED_IDLE, os.sched_param(0))
    with suppress(OSError):
        (_PROC / str(pid) / "autogroup").write_text(str(_NICEST))


@contextmanager
def before_others(pids: Iterable[int]) -> Iterator[bool]:
    """Let these processes, but not their children, run before all others, as if they had the machine to themselves.

    Yields whether that is so: only root may (`man 7 sched`, SCHED_RR). They keep one another waiting as ever.
    """
    held = {pid: (os.sched_getscheduler(pid), os.sched_getparam(pid)) for pid in pids}
    try:
        yield all(_schedule(pid, os.SCHED_RR, os.sched_param(1)) for pid in held)
    finally:
        for pid, (policy, priority) in held.items():
            _schedule(pid, policy, priority)


@contextmanager
def stopped(pids: Iterable[int]) -> Iterator[None]:
    """Without these processes: they stand still, and go on afterwards where they were."""
    held = tuple(pids)
    try:
        for each in held:
            os.kill(each, signal.SIGSTOP)
        yield
    finally:
        for each in held:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGCONT)


def _schedule(pid: int, policy: int, priority: os.sched_param) -> bool:
    try:
        for thread in threads(pid):
            with suppress(ProcessLookupError):
                os.sched_setscheduler(int(thread.name), policy, priority)
    except PermissionError:
        return False
    return True
