"""Whether the clocks of this host can be trusted: the wall clock beside the monotonic one. No I/O."""

import time
from collections.abc import Callable
from typing import Final

STEP_SECONDS: Final = 0.5
"""More than this between two looks is no correction that a time service makes unseen."""
DRIFT: Final = 0.01
"""Time services correct a clock by less than 0.05 % at a time, some of them by some percent after a bad start."""
_DRIFT_SECONDS: Final = 30.0
"""Over less than this, 1 % is what reading two clocks one after the other can come to on a busy machine."""

Clock = Callable[[], float]


def _boot_seconds() -> float:
    """Goes on while the machine is suspended, where there is such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class ClockWatch:
    """Looks at the clocks every second or so; all in seconds.

    A process that stood still itself (stopped, or without a core) is no clock trouble, for all clocks went on: its
    lag tells of that.
    """

    def __init__(
        self, wall: Clock = time.time, monotonic: Clock = time.monotonic, boot: Clock = _boot_seconds
    ) -> None:
        self._clocks = (wall, monotonic, boot)
        self._wall, self._monotonic, self._boot = self._now()
        self._passed = 0.0
        self._drifted = 0.0
        self._told: set[str] = set()

    def look(self) -> str | None:
        """What is wrong, in words: a step, a drift, a suspended machine, each told once. None: nothing new."""
        wall, monotonic, boot = self._now()
        passed = monotonic - self._monotonic
        ahead = wall - self._wall - passed
        suspended = boot - self._boot - passed
        self._wall, self._monotonic, self._boot = wall, monotonic, boot
        if suspended > STEP_SECONDS:
            return self._once("suspended", f"the machine was suspended for {suspended:.1f} s")
        if abs(ahead) > STEP_SECONDS:
            way = "forward" if ahead > 0 else "back"
            return self._once("step", f"the wall clock was set {way} by {abs(ahead):.1f} s")
        self._passed += passed
        self._drifted += ahead
        if self._passed >= _DRIFT_SECONDS and abs(self._drifted) > DRIFT * self._passed:
            way = "fast" if self._drifted > 0 else "slow"
            percent = 100 * abs(self._drifted) / self._passed
            return self._once("drift", f"the wall clock runs {way} by {percent:.1f} %, beside the monotonic one")
        return None

    def _once(self, kind: str, words: str) -> str | None:
        if kind in self._told:
            return None
        self._told.add(kind)
        return words

    def _now(self) -> tuple[float, float, float]:
        wall, monotonic, boot = self._clocks
        # Between two looks at the monotonic one: so what holds this up on the way is halved.
        before = monotonic()
        now, booted = wall(), boot()
        return now, (before + monotonic()) / 2, booted
