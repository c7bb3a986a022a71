"""What a shape's script does, done with Locust."""

import time
from contextlib import AbstractContextManager
from typing import Any, Final

import gevent

from loadtests import hook, validity
from loadtests.conductor import Conductor
from loadtests.slo import Slo
from loadtests.waiting import until

_AT_ONCE_EACH: Final = 100.0
"""Users arriving a second, in one process: Locust advises against more."""
_ARRIVING_SECONDS: Final = 30.0
"""Beside the time that the rate needs."""
_BACK_SECONDS: Final = 60.0
_COMES_AND_GOES: Final = "StormUser"


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
            self.note(f"{self._runner.user_count} users are there, and {users} were to be")
        if not self._all_connected(deadline - time.monotonic()):
            self._conductor.facts.warnings.append(f"not all of {users} users were there when it was measured")

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
        phase = self._conductor.facts.phases[-1]
        gevent.sleep(max(0.0, phase.end + 2 - time.time()))
        self._conductor.mark()
        self._heard()
        if broken := self._slo.broken(self._conductor.roster.timeline, phase.begin, phase.end):
            return "; ".join(broken)
        return validity.limit(self._conductor.roster.generators, phase.begin, phase.end)

    @property
    def _runner(self) -> Any:
        return self._conductor.locust

    def _heard(self) -> None:
        until(lambda: self._conductor.roster.have_heard(self._conductor.playing()), _ARRIVING_SECONDS)

    def _all_back(self) -> None:
        began = time.monotonic()
        self._heard()
        if self._all_connected(_BACK_SECONDS):
            self.note(f"all are connected again after {time.monotonic() - began:.0f} s")

    def _all_connected(self, seconds: float) -> bool:
        """Whether all are who do not come and go by themselves, at the last after so long."""
        counts = getattr(self._runner, "reported_user_classes_count", None) or self._runner.user_classes_count
        steady = sum(count for name, count in counts.items() if name != _COMES_AND_GOES)
        connected = until(lambda: self._conductor.connected >= steady, seconds)
        if not connected:
            self.note(f"{self._conductor.connected} are connected, and {steady} were to be")
        return connected
