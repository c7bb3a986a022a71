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


@dataclass(frozen=True)
class Reading:
    """CPU time: of the server measured, of the processes that it needs beside it, and of this one, the clients."""

    server_ns: int
    beside_ns: int
    clients_ns: int
    seconds: float

    @property
    def server_percent(self) -> float:
        """Of one core."""
        return self.server_ns / self.seconds / 1e7

    @property
    def rest_percent(self) -> float:
        """Of the other core: clients, and what is beside the server."""
        return (self.beside_ns + self.clients_ns) / self.seconds / 1e7


class Meter:
    """Reads what was spent since it was made, or last read with `lap`."""

    def __init__(self, server: Iterable[int], beside: Iterable[int]) -> None:
        self._server = tuple(server)
        self._beside = tuple(beside)
        self._start = self._now()

    def lap(self) -> Reading:
        """Read, and begin again."""
        start, self._start = self._start, self._now()
        spent = [int(now - before) for now, before in zip(self._start, start, strict=True)]
        return Reading(spent[0], spent[1], spent[2], spent[3] / 1e9)

    def _now(self) -> tuple[int, ...]:
        return cpu_ns(self._server), cpu_ns(self._beside), time.process_time_ns(), time.perf_counter_ns()


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
