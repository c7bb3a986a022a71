"""Clocks of a host that makes load: what is wrong with them is told, and what is not is let be."""

from dataclasses import dataclass

import pytest

from loadtests.clocks import ClockWatch


@dataclass
class Clocks:
    """Three clocks of a host, to be set; in seconds."""

    wall: float = 1_800_000_000.0
    monotonic: float = 500.0
    boot: float = 500.0

    def watch(self) -> ClockWatch:
        """Looks at them."""
        return ClockWatch(lambda: self.wall, lambda: self.monotonic, lambda: self.boot)

    def go(self, seconds: float, *, wall: float | None = None, boot: float | None = None) -> None:
        """Let time pass: another one for the wall clock, or for the one that goes on in a suspended machine."""
        self.monotonic += seconds
        self.wall += seconds if wall is None else wall
        self.boot += seconds if boot is None else boot


def test_the_clocks_of_this_host_are_let_be() -> None:
    """The real ones, looked at often."""
    watch = ClockWatch()
    assert [watch.look() for _ in range(10_000)] == [None] * 10_000


@pytest.mark.parametrize(
    ("wall", "words"),
    [(1.6, "the wall clock was set forward by 0.6 s"), (-2.0, "the wall clock was set back by 3.0 s")],
)
def test_a_clock_that_is_set_is_told_of_once(wall: float, words: str) -> None:
    """In either direction, and not again with every look; nor is a step taken for a drift afterwards."""
    clocks = Clocks()
    watch = clocks.watch()
    clocks.go(1.0)
    assert watch.look() is None
    clocks.go(1.0, wall=wall)
    assert watch.look() == words
    for _ in range(200):
        clocks.go(1.0)
        assert watch.look() is None


def test_small_corrections_are_none() -> None:
    """A time service moves a clock by a tenth of a second now and then."""
    clocks = Clocks()
    watch = clocks.watch()
    for second in range(600):
        clocks.go(1.0, wall=1.0 + (0.1 if second % 60 == 30 else 0.0))
        assert watch.look() is None


@pytest.mark.parametrize(("rate", "way"), [(1.02, "fast"), (0.98, "slow")])
def test_a_drift_is_told_of_once(rate: float, way: str) -> None:
    """Of 2 %; as soon as it can be known."""
    clocks = Clocks()
    watch = clocks.watch()
    told = []
    for _ in range(100):
        clocks.go(1.0, wall=rate)
        told.append(watch.look())
    assert [each for each in told if each] == [f"the wall clock runs {way} by 2.0 %, beside the monotonic one"]
    assert told.index(next(filter(None, told))) in {29, 30}  # in seconds; of fractions, not all sums come out even


def test_a_process_that_stood_still_is_no_clock_trouble() -> None:
    """All clocks went on meanwhile."""
    clocks = Clocks()
    watch = clocks.watch()
    clocks.go(60.0)
    assert watch.look() is None


def test_a_suspended_machine_is_told_apart() -> None:
    """Its wall clock seems to have been set, but it was not."""
    clocks = Clocks()
    watch = clocks.watch()
    clocks.go(1.0, wall=13.0, boot=13.0)
    assert watch.look() == "the machine was suspended for 12.0 s"
    clocks.go(1.0)
    assert watch.look() is None
