"""The clock of the benchmark, and what stands still while latencies are measured."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.bench.machine import cpu_ns
from loadtests.bench.scheduling import before_others, give_way, stopped
from loadtests.light.ticks import ticking
from tests.support.waiting import until


@pytest.fixture
def busy() -> Iterator[int]:
    """A process that does nothing but turn."""
    process = _turning()
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


async def test_it_ticks_until_it_is_left_and_late_ticks_are_one() -> None:
    """More often than the event loop's timers could, and never twice for a moment that was missed."""
    ticks: list[float] = []
    start = time.perf_counter()
    with ticking(0.0005, lambda: ticks.append(time.perf_counter())):
        await until(lambda: len(ticks) >= 20, "ticks")
        time.sleep(0.05)  # noqa: ASYNC251 - the loop is late, on purpose
        before = len(ticks)
        await asyncio.sleep(0)
        await until(lambda: len(ticks) > before, "one more")
        assert len(ticks) <= (time.perf_counter() - start - 0.05) / 0.0005 + 2
    done = len(ticks)
    await asyncio.sleep(0.01)
    assert len(ticks) == done


async def test_what_is_stopped_uses_no_cpu_and_goes_on_afterwards(busy: int) -> None:
    """In the block it stands still."""
    with stopped([busy]):
        await until(lambda: _state(busy) == "T", "it stands still")
        before = cpu_ns([busy])
        await asyncio.sleep(0.05)
        assert cpu_ns([busy]) == before
    await until(lambda: cpu_ns([busy]) > before, "it goes on")


async def test_a_process_that_has_ended_stops_nobody(busy: int) -> None:
    """The others go on when one of them has died meanwhile; and there is no error."""
    ended = _turning()
    with stopped([ended.pid, busy]):
        ended.kill()
        ended.wait()
        before = cpu_ns([busy])
    await until(lambda: cpu_ns([busy]) > before, "it goes on")


def test_what_runs_before_others_does_so_only_in_the_block(busy: int) -> None:
    """Where it is allowed; what it was before comes back, and without the right to it nothing has changed."""
    before = os.sched_getscheduler(busy)
    with before_others([busy]) as alone:
        assert os.sched_getscheduler(busy) == (os.SCHED_RR if alone else before)
    assert os.sched_getscheduler(busy) == before
    assert alone or os.geteuid()


def test_what_gives_way_does_so_with_its_whole_session(busy: int) -> None:
    """Where the kernel weighs sessions against each other, the policy of a thread would be nothing."""
    give_way(busy)
    group = Path(f"/proc/{busy}/autogroup")
    if not group.exists() or not group.read_text():
        pytest.skip("this kernel does not group sessions")
    assert group.read_text().split()[-1] == "19"


def _turning() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
