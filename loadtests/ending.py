"""The end of a run: nothing new is sent, what was sent arrives or is given up, the players hand over their facts."""

import time
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final

from locust import log

from loadtests.facts import SETTLE_SECONDS
from loadtests.waiting import until

if TYPE_CHECKING:
    from loadtests.conductor import Conductor

GATHER_SECONDS: Final = 60.0


class Ending:
    """Of one run, with those who still play."""

    def __init__(self, conductor: "Conductor", playing: AbstractSet[int]) -> None:
        self._conductor = conductor
        self._roster = conductor.roster
        self._facts = conductor.facts
        self._playing = playing
        self._said: dict[str, int] = {}
        self._shown = 0.0

    def run(self) -> None:
        """Takes at most `SETTLE_SECONDS` and `GATHER_SECONDS`; then the conductor's facts are whole."""
        with self._conductor.phase("closing", measured=False):
            self._conductor.say("parley-closing")
            self._facts.settled = until(self._are_settled, SETTLE_SECONDS)
        self._conductor.say("parley-finish")
        until(lambda: not self._roster.missing(self._playing), GATHER_SECONDS)
        missing = self._roster.missing(self._playing)
        for number in missing:
            self._conductor.invalid(f"worker {number} handed over nothing within {GATHER_SECONDS:g} s")
        self._facts.partial = bool(missing) or len(self._playing) < self._conductor.players
        self._gather()

    def _are_settled(self) -> bool:
        # What one has seen, the others' members are owed: a room is in several processes.
        if self._roster.ends != self._said:
            self._said = dict(self._roster.ends)
            self._conductor.say("parley-ends", self._said)
        if time.monotonic() - self._shown >= 1:
            self._shown = time.monotonic()
            self._conductor.show()
        return self._roster.are_settled(self._playing)

    def _gather(self) -> None:
        self._facts.timeline.add(self._roster.timeline)
        for player in self._roster.players.values():
            if player.facts is not None:
                self._facts.add(player.facts)
        failures = self._conductor.locust.exceptions.values()
        crashes = [f"{each['msg']}: {each['traceback']}" for each in failures]
        self._facts.crashes += [each for each in crashes if each not in self._facts.crashes]
        if log.unhandled_greenlet_exception and not self._facts.crashes:
            self._facts.crashes.append("a greenlet of the load test failed: what it said is above")
