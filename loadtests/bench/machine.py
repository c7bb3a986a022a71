"""The machine: its cores, and what processes have cost, read from /proc."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_TICK_NS: Final = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class MachineError(Exception):
    """This machine cannot be measured on; the message says why."""


@dataclass(frozen=True)
class Cores:
    """One core for the server that is measured, another for all the rest."""

    server: int
    rest: int

    @classmethod
    def of_this_machine(cls) -> "Cores":
        """Raises `MachineError` when there are not two."""
        ours = sorted(os.sched_getaffinity(0))
        if len(ours) < 2:
            raise MachineError("two cores are needed: one for the server, one for everything else")
        return cls(ours[0], ours[1])


def family(pid: int) -> list[int]:
    """`pid` and all its descendants."""
    found = [pid]
    for each in found:
        for thread in threads(each):
            with suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
    return found


def threads(pid: int) -> list[Path]:
    """The folders of its threads, named by their ids."""
    with suppress(OSError):
        return list((_PROC / str(pid) / "task").iterdir())
    return []


def cpu_ns(pids: Iterable[int]) -> int:
    """CPU time of these processes so far, all their threads and children, user and system, in ns."""
    return sum(_cpu_ns(each) for pid in pids for each in family(pid))


def memory_bytes(pid: int) -> int:
    """What `pid` and its children hold in memory; pages shared with others count in part (Pss), or whole (Rss)."""
    return sum(_memory_bytes(each) for each in family(pid))


def open_files(pid: int) -> int:
    """How many files and sockets `pid` and its children have open."""
    return sum(len(os.listdir(_PROC / str(each) / "fd")) for each in family(pid))  # noqa: PTH208 - names are enough


def busy_seconds(core: int) -> float:
    """How long `core` has been busy since the machine started, whoever used it."""
    for line in (_PROC / "stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _idle, _wait, irq, soft, *_ = map(int, line.split()[1:])
            return (user + nice + system + irq + soft) * _TICK_NS / 1e9
    raise MachineError(f"there is no core {core}")


@dataclass(frozen=True)
class Reading:
    """What was spent: by the server measured, by the processes that it needs beside it, and of the other core."""

    server_ns: int
    beside_ns: int
    seconds: float
    rest_busy: float

    @property
    def server_percent(self) -> float:
        """Of one core."""
        return self.server_ns / self.seconds / 1e7


class Meter:
    """Reads what was spent since it was made, or last read with `lap`."""

    def __init__(self, server: Iterable[int], beside: Iterable[int], rest_core: int) -> None:
        self._server = tuple(server)
        self._beside = tuple(beside)
        self._core = rest_core
        self._start = self._now()

    def lap(self) -> Reading:
        """Read, and begin again."""
        start, self._start = self._start, self._now()
        return Reading(
            server_ns=int(self._start[0] - start[0]),
            beside_ns=int(self._start[1] - start[1]),
            seconds=self._start[2] - start[2],
            rest_busy=(self._start[3] - start[3]) / max(self._start[2] - start[2], 1e-9),
        )

    def _now(self) -> tuple[int, int, float, float]:
        return cpu_ns(self._server), cpu_ns(self._beside), time.perf_counter(), busy_seconds(self._core)


def _cpu_ns(pid: int) -> int:
    total = 0
    try:
        for thread in threads(pid):
            with suppress(ProcessLookupError):
                total += int((thread / "schedstat").read_text().split()[0])
    except FileNotFoundError:  # a kernel without schedstat: ticks of 10 ms
        with suppress(OSError):
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) * _TICK_NS
    return total


def _memory_bytes(pid: int) -> int:
    text = ""
    with suppress(OSError):
        text = (_PROC / str(pid) / "smaps_rollup").read_text()
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in text.splitlines()[1:]}
    return sizes.get("Pss") or sizes.get("Rss") or 0
