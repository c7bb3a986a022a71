"""What a process that makes load uses: measured in this one, and in processes that are as they have to be."""

import os
import subprocess
import sys
import time

from loadtests import generator
from loadtests.generator import Meter

_SPIN = """
import sys, time
from loadtests.generator import Meter
meter = Meter("spins")
print(flush=True)
sys.stdin.readline()
meter.usage()
begin = time.process_time()
while time.process_time() - begin < 1.0: pass
used = meter.usage(0.25)
print(used.cpu_percent, used.waiting_percent, used.lag_seconds, flush=True)
"""


def _spinning() -> subprocess.Popen[str]:
    """Uses a second of CPU after it was written a line, and says what it measured."""
    return subprocess.Popen(
        [sys.executable, "-c", _SPIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )


def _said(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")


def test_it_measures_what_was_used_since_the_last_time() -> None:
    """CPU time over the time that passed, all of which is kept."""
    meter = Meter("m")
    began, spent = time.monotonic(), time.process_time()
    while time.process_time() - spent < 0.2:
        pass
    shortest = time.monotonic() - began
    used = meter.usage()
    longest = time.monotonic() - began
    assert 99 * 0.2 / longest < used.cpu_percent < 101 * (time.process_time() - spent + 0.01) / shortest
    assert 5_000_000 < used.memory_bytes < 10_000_000_000
    assert abs(used.at - time.time()) < 5
    assert meter.process.name == "m"
    assert meter.process.usage == [used]
    meter.usage()
    assert len(meter.process.usage) == 2


def test_a_process_that_shares_its_core_says_that_it_waited() -> None:
    """Two on one core, each of which gets half of it: neither is busy by its CPU time, and both waited."""
    core = min(os.sched_getaffinity(0))
    both = [_spinning(), _spinning()]
    try:
        for each in both:
            os.sched_setaffinity(each.pid, {core})
        for each in both:
            _said(each)
        for each in both:
            _go(each)
        for each in both:
            cpu, waited, lag = map(float, _said(each))
            assert cpu < 90
            assert waited > 10
            assert cpu + waited < 110
            assert lag == 0.25
            assert each.wait() == 0
    finally:
        for each in both:
            each.kill()
            each.communicate()


def test_processes_of_one_host_know_that_they_are() -> None:
    """It is the same in another process, and short, for it is in every message."""
    command = [sys.executable, "-c", "from loadtests import generator; print(generator.host(), end='')"]
    other = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert other == generator.host()
    assert len(other) == 12
    assert other.isalnum()
