"""Conducts a run, in Locust's master or its only process: plays the shape, listens to the players, ends it in order.

Every end takes the same way, be it the shape's, a signal's, or that of a run that lost a worker: see `ending`.
"""

import math
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import gevent
import msgspec
from locust import LoadTestShape
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_MISSING, STATE_SPAWNING, MasterRunner

from loadtests import waiting
from loadtests.clocks import ClockWatch
from loadtests.ending import Ending
from loadtests.facts import Facts, Moment, Phase
from loadtests.progress import Progress
from loadtests.roster import Roster

UNFINISHED: Final = "the load test ended before it could hand over what it had seen"
_SILENCE_SECONDS: Final = 15.0
_RECENT_SECONDS: Final = 5.0


class Conductor(LoadTestShape):
    """Made once, when Locust has its runner. Without a `script` it does nothing: the run is one of Locust's own page.

    `path`: where the facts go. `players`: how many processes play users.
    """

    abstract = True  # Locust is not to make one by itself

    def __init__(self, environment: Environment, *, players: int, path: Path, progress: Progress) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.locust = cast("Any", environment.runner)
        self.roster = Roster()
        self.facts = Facts(settled=True)
        self.wanted: tuple[int, float] | None = None
        """How many users there shall be, and how many of them arrive (or leave) a second; None: the run ends."""
        self.script: Callable[[], None] | None = None
        """The shape: played in a greenlet of its own, since Locust asks no `tick` while users spawn on workers."""
        self._playing: gevent.Greenlet | None = None
        self._ending: gevent.Greenlet | None = None
        self.players = players
        self._path = path
        self._half: BinaryIO | None = None
        self._progress = progress
        self._phase = ""
        self._began = time.monotonic()
        self._clocks = ClockWatch()
        self.locust.register_message("parley-report", self._on_report)
        self.locust.register_message("parley-facts", self._on_facts)
        environment.events.test_stopping.add_listener(self._on_stopping)  # type: ignore[no-untyped-call]

    def tick(self) -> tuple[int, float] | None:
        """Locust asks each second; None ends the run. While it ends anyway, all stays as it is."""
        if self._playing is None and self.script is not None:
            Facts(invalid=[UNFINISHED]).write(self._path)
            self._half = self._path.with_suffix(".half").open("wb")  # now: there may be no file left in the end
            self._playing = gevent.spawn(self._play, self.script)
            gevent.sleep(0)  # it says how many users it wants
        return self.wanted if self._ending is None else self.locust.shape_last_tick

    def stop(self) -> None:
        """End the run, in order; one that has not begun at once."""
        if self._playing is None:
            sys.exit(1)
        self._playing.kill(block=False)
        if isinstance(self.locust, MasterRunner) and self.locust.state == STATE_SPAWNING:
            gevent.spawn(self.locust.quit)  # it asks no `tick` before all users are there

    # --- what a script needs ----------------------------------------------------------------------------------------

    @contextmanager
    def phase(self, name: str, *, measured: bool) -> Iterator[None]:
        """What happens inside is a phase of the run, however it ends.

        What is measured begins and ends with a second of the wall clock: what is written down is told by whole
        seconds, and one of them too many, in a short phase, would be a rate that never was.
        """
        self._phase, begin, end = name, waiting.second(is_whole=measured), math.inf
        try:
            yield
            end = waiting.second(is_whole=measured)
        finally:
            last = waiting.whole(time.time()) if measured else time.time()
            self.facts.phases.append(Phase(name, begin, min(end, last), measured))

    def note(self, text: str) -> None:
        """Something that a reader of the charts has to know of."""
        self.facts.moments.append(Moment(time.time(), text))

    def warn(self, text: str) -> None:
        """Something that a reader of the figures has to know of, too."""
        self.note(text)
        self.facts.warnings.append(text)

    def invalid(self, why: str) -> None:
        """The run says nothing about the system."""
        if why not in self.facts.invalid:
            self.facts.invalid.append(why)

    def say(self, what: str, data: dict[str, Any] | None = None) -> None:
        """To all players; see `Roster.have_heard`."""
        self.locust.send_message(what, data or {})
        self.mark()

    def mark(self) -> None:
        """From here on, players have heard what was said when they have made another report."""
        self.roster.mark += 1
        self.locust.send_message("parley-mark", {"mark": self.roster.mark})

    @property
    def connected(self) -> int:
        """How many connections there are, of those who play."""
        return self.roster.connected(self.playing())

    def playing(self) -> set[int]:
        """The numbers of the processes that play, and are not lost."""
        if not isinstance(self.locust, MasterRunner):
            return {0}
        clients = [each for each in self.locust.clients.all if each.state != STATE_MISSING]
        return {self.locust.worker_indexes[each.id] for each in clients}

    # --- while it goes on -------------------------------------------------------------------------------------------

    def _play(self, script: Callable[[], None]) -> None:
        looking = gevent.spawn(self._look)
        try:
            script()
        except Exception:  # noqa: BLE001 - whatever it is, the run ends in order, and says so
            self.facts.crashes.append(traceback.format_exc())
        finally:
            looking.kill(block=False)
            self.wanted = None

    def _look(self) -> None:
        while True:  # as long as the script lasts
            gevent.sleep(1)
            if trouble := self._clocks.look():
                self.invalid(trouble)
            self.show()
            there = len(self.playing())
            if there != self.players:
                self._give_up(f"of {self.players} workers {there} are there")
            elif silent := self.roster.silent(_SILENCE_SECONDS):
                self._give_up(f"nothing was heard for {_SILENCE_SECONDS:g} s of worker {silent[0]}")

    def show(self) -> None:
        """One line of progress."""
        recent = self.roster.recent(time.time(), _RECENT_SECONDS)
        elapsed, users = time.monotonic() - self._began, self.locust.user_count
        self._progress.show(elapsed, self._phase, recent, self.connected, users, self.roster.cpu_percent)

    def _give_up(self, why: str) -> None:
        self.invalid(why)
        self.stop()

    def _on_report(self, *, msg: Message, **_: object) -> None:
        if self._playing is not None:
            self.roster.reported(msg.data)

    def _on_facts(self, *, msg: Message, **_: object) -> None:
        try:
            self.roster.handed_over(msg.data)
        except msgspec.MsgspecError as error:
            self.invalid(f"a worker handed over what is no facts: {error}")

    # --- the end ----------------------------------------------------------------------------------------------------

    def _on_stopping(self, **_: object) -> None:
        """Locust stops: returns when the facts are written, whoever asks how often."""
        if self._playing is None:
            return
        if self._ending is None:
            self._ending = gevent.spawn(self._end, self._playing)
        self._ending.join()

    def _end(self, playing: gevent.Greenlet) -> None:
        playing.kill()
        try:
            Ending(self, self.playing()).run()
        except Exception:  # noqa: BLE001 - what is known is still written
            self.facts.crashes.append(traceback.format_exc())
        self._progress.end()
        if self._half is not None:
            with self._half:
                self._half.write(self.facts.packed())
            Path(self._half.name).rename(self._path)
