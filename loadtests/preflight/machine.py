"""Memory and cores. They refuse nothing: a run says itself when it was short of a core."""

import math
import os
from collections.abc import Iterator
from typing import Final

from loadtests.preflight.need import Finding, Need
from loadtests.preflight.proc import Proc

_PROCESS_BYTES: Final = 100_000_000
"""Of a process that makes load, before its first connection."""
_SYSTEM_BYTES: Final = 700_000_000
"""Of an own system, before its first client."""
_MIB: Final = 1 << 20


def look(need: Need, proc: Proc) -> Iterator[Finding]:
    """Whether both are likely to do."""
    yield from _memory(need, proc)
    yield from _cores(need, proc)


def _memory(need: Need, proc: Proc) -> Iterator[Finding]:
    free = [each for each in (proc.memory("MemAvailable"), _left_in_group(proc)) if each is not None]
    needed = need.processes * _PROCESS_BYTES + need.connections * need.bytes_each
    needed += _SYSTEM_BYTES if need.own_system else 0
    if free and needed > min(free):
        problem = f"about {needed // _MIB} MiB of memory are needed, and {min(free) // _MIB} MiB are free"
        yield Finding(problem, "fewer connections, or a larger machine")


def _left_in_group(proc: Proc) -> int | None:
    """What the process's control group (a container's) may still take."""
    most, taken = proc.number("sys/fs/cgroup/memory.max"), proc.number("sys/fs/cgroup/memory.current")
    return None if most is None or taken is None else max(most - taken, 0)


def _cores(need: Need, proc: Proc) -> Iterator[Finding]:
    cores = min(float(len(os.sched_getaffinity(0))), _quota(proc))
    needed = need.processes + (1 if need.own_system else 0)
    if needed > cores:
        whose = f"{need.processes} processes that make load" + (" and the system" if need.own_system else "")
        problem = f"{whose} share {cores:g} cores: they take time from one another, and the figures have that in them"
        yield Finding(problem, f"--processes {max(1, int(cores) - (1 if need.own_system else 0))}, or more cores")


def _quota(proc: Proc) -> float:
    """Of cores, as a control group (a container's limit) has it."""
    quota = proc.numbers("sys/fs/cgroup/cpu.max")
    return quota[0] / quota[1] if len(quota) == 2 and quota[1] > 0 else math.inf
