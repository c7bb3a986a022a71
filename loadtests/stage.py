"""What a shape's script does, done with Locust."""

import math
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any, Final

import gevent

from loadtests import counted, hook, validity
from loadtests.conductor import Conductor
from loadtests.roster import Roster
from loadtests.slo import Slo
from loadtests.waiting import until

_AT_ONCE_EACH: Final = 100.0
"""Users arriving a second, in one process: Locust advises against more."""
_ARRIVING_SECONDS: Final = 30.0
"""Beside the time that the rate needs."""
_BACK_SECONDS: Final = 60.0


class LocustStage:
    """A `shapes.stage.Stage`. It is left by `GreenletExit`, when the conductor ends the run."""

    def __init__(
        self, conductor: Conductor, *, users: int, seconds: float, steps: int, rate: float, command: str, slo: Slo
    ) -> None:
        self.users = users
        self.seconds = seconds
        self.steps = steps
        self._conductor = conductor
        self._rate = rate
        self._command = command
        self._slo = slo

    def phase(self, name: str, *, measured: bool = True) -> AbstractContextManager[None]:
        """See `Stage`."""
        return self._conductor.phase(name, measured=measured)

    def note(self, text: str) -> None:
        """See `Stage`."""
        self._conductor.note(text)

    def wait(self, seconds: float) -> None:
        """See `Stage`."""
        gevent.sleep(seconds)

    def fill(self, users: int, *, at_once: bool = False) -> None:
        """See `Stage`."""
        rate = _AT_ONCE_EACH * max(1, len(self._conductor.playing())) if at_once else self._rate
        change = abs(users - self._runner.user_count)
        self._conductor.wanted = users, rate
        deadline = time.monotonic() + change / rate + _ARRIVING_SECONDS
        if not until(lambda: bool(self._runner.user_count == users), deadline - time.monotonic()):
            self._conductor.warn(f"{self._runner.user_count} users are there, and {users} were to be")
        self._conductor.mark()
        self._heard()
        if not self._is_none(self._known.coming, deadline - time.monotonic()):
            late = self._known.coming(self._conductor.playing())
            self._conductor.warn(f"{late} of {users} users were not in their rooms when it went on")

    def drop(self) -> None:
        """See `Stage`."""
        self.note("every connection is cut off")
        self._conductor.say("parley-drop")
        self._all_back()

    def hook(self) -> None:
        """See `Stage`."""
        self.note("the hook begins")
        failed = hook.run(self._command, self.note)
        if failed is not None:
            self._conductor.invalid(failed)
        self._conductor.mark()
        self._all_back()

    def limit(self) -> str | None:
        """See `Stage`. What the players saw of the phase has to be reported first."""
        phases, known = self._conductor.facts.phases, self._known
        phase = phases[-1]
        gevent.sleep(max(0.0, phase.end + 2 - time.time()))
        self._conductor.mark()
        self._heard()
        arriving = [(math.floor(each.begin), each.end) for each in counted.before(phases, phase)]
        span, fit = (phase.begin, phase.end), counted.fit(arriving, known.generators)
        if broken := counted.too_much(self._slo, known.timeline, span, fit):
            return "; ".join(broken)
        return validity.limit(known.generators, *span)

    @property
    def _runner(self) -> Any:
        return self._conductor.locust

    @property
    def _known(self) -> Roster:
        return self._conductor.roster

    def _heard(self) -> None:
        until(lambda: self._conductor.roster.have_heard(self._conductor.playing()), _ARRIVING_SECONDS)

    def _all_back(self) -> None:
        began = time.monotonic()
        self._heard()
        if self._is_none(self._known.away, _BACK_SECONDS):
            self.note(f"all are connected again, and in their rooms, after {time.monotonic() - began:.0f} s")
        else:
            away = self._known.away(self._conductor.playing())
            self._conductor.warn(f"{away} users were not back in their rooms when it went on")

    def _is_none(self, count: Callable[[Collection[int]], int], seconds: float) -> bool:
        """Whether it is so, at the last after so long."""
        return until(lambda: not count(self._conductor.playing()), seconds)
