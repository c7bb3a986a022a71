"""What happens when: connections arrive, are held, or are loaded step by step, and it all ends. Told in phases."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import msgspec

from loadtests import counted, validity
from loadtests.clocks import ClockWatch
from loadtests.connections.crew import Crew
from loadtests.connections.pace import steps
from loadtests.facts import SETTLE_SECONDS, Facts, Moment, Phase
from loadtests.progress import Progress
from loadtests.slo import Slo
from loadtests.timeline import Timeline

_POLL_SECONDS: Final = 0.1
_SHOWN_SECONDS: Final = 5
_ARRIVING_SPARE_SECONDS: Final = 60.0
_REPORT_SECONDS: Final = 5.0
_STEP_FACTOR: Final = 1.25


class Plan(msgspec.Struct, frozen=True):
    """What is to happen."""

    shape: str
    """`hold` or `step`."""
    rate: float
    """Messages a second; of the first step."""
    seconds: float
    """How long to hold."""
    connect_rate: float
    steps: int
    """The most."""
    step_seconds: float
    skipped_seconds: float
    """Of each step, at its beginning: not measured."""

    @property
    def arriving_most(self) -> float:
        """A half more than the time that all would need, and a minute."""
        return 1.5 / self.connect_rate

    def seconds_usual(self, connections: int) -> float:
        """About as long it takes that is held to the end; of steps the first."""
        return connections / self.connect_rate + (self.seconds if self.shape == "hold" else self.step_seconds)

    def seconds_most(self, connections: int) -> float:
        """How long all of it can take."""
        loaded = self.seconds if self.shape == "hold" else self.steps * (self.step_seconds + _REPORT_SECONDS)
        return connections * self.arriving_most + _ARRIVING_SPARE_SECONDS + loaded + SETTLE_SECONDS


class Conductor:
    """Plays a plan with a crew. Once `stopping` is set, it goes on to the end at once."""

    def __init__(self, crew: Crew, plan: Plan, slo: Slo, progress: Progress, stopping: asyncio.Event) -> None:
        self._crew = crew
        self._plan = plan
        self._slo = slo
        self._progress = progress
        self._stopping = stopping
        self._clocks = ClockWatch()
        self._began = time.time()
        self._phases: list[Phase] = []
        self._moments: list[Moment] = []
        self._invalid: list[str] = []
        self._warnings: list[str] = []

    async def run(self) -> Facts:
        """All of it; returns what came of it."""
        try:
            if await self._arrive():
                await (self._hold() if self._plan.shape == "hold" else self._step())
            if self._stopping.is_set():
                self._happened("told to end")
                self._warnings.append("the run was ended before its time")
            await self._close()
        finally:
            self._progress.end()
        found = await self._crew.finish()
        found.phases = self._phases
        found.moments = self._moments
        found.invalid += self._invalid
        found.warnings += self._warnings
        return found

    async def _arrive(self) -> bool:
        crew, begin = self._crew, time.time()
        most = crew.size * self._plan.arriving_most + _ARRIVING_SPARE_SECONDS
        await self._during("ramp", most, lambda: crew.connected == crew.size)
        self._phases.append(Phase("ramp", begin, time.time(), measured=False))
        if crew.connected < crew.size and not self._stopping.is_set():
            self._invalid.append(
                f"{crew.connected:,} of {crew.size:,} connections came about in {time.time() - begin:.0f} s: "
                f"nothing is said of {crew.size:,}"
            )
        return not self._stopping.is_set()

    async def _hold(self) -> None:
        begin = await self._whole_second("ramp")
        await self._crew.rate(self._plan.rate)
        end = await self._until("hold", begin + self._plan.seconds)
        self._phases.append(Phase("hold", begin, end))

    async def _step(self) -> None:
        for number, rate in enumerate(steps(self._plan.rate, _STEP_FACTOR, self._plan.steps), 1):
            name = f"step {number}: {rate:g}/s"
            began = await self._whole_second(name)
            await self._crew.rate(rate)
            begin = await self._until(name, began + self._plan.skipped_seconds)
            end = await self._until(name, began + self._plan.step_seconds)
            if self._stopping.is_set():
                self._phases.append(Phase(name, begin, end, measured=False))
                return
            self._phases.append(Phase(name, begin, end))
            # The rate goes on as it is until all have told of the last second.
            await self._during(name, _REPORT_SECONDS, lambda end=end: self._crew.reported > end)  # type: ignore[misc]
            arriving = [(each.begin, each.end) for each in counted.before(self._phases, self._phases[-1])]
            fit = counted.fit(arriving, self._crew.generators)
            broken = counted.too_much(self._slo, self._crew.timeline, (begin, end), fit)
            limit = validity.limit(self._crew.generators, begin, end)
            if broken or limit is not None or self._crew.is_lost:
                self._happened(f"{name} did not hold: {'; '.join([*broken, *([limit] if limit else [])])}")
                return

    async def _close(self) -> None:
        crew, begin = self._crew, time.time()
        await crew.close()
        self._stopping.clear()  # a second signal ends it
        # Both are of the last report: two of them have to come after what was told.
        await self._during(
            "closing",
            SETTLE_SECONDS,
            lambda: crew.reported > begin + 2 and crew.is_settled,
            whoever_is_lost=True,  # what the others have under way is to arrive
        )
        self._phases.append(Phase("closing", begin, time.time(), measured=False))

    async def _whole_second(self, name: str) -> float:
        """Wait for the next: what is measured is kept by seconds, and phases have whole ones. When it began."""
        return await self._until(name, float(int(time.time()) + 1))

    async def _until(self, name: str, end: float) -> float:
        """Until `end`, in seconds of the epoch, which is returned; when it was cut short, until when it was."""
        await self._during(name, end - time.time())
        return min(end, time.time())

    async def _during(
        self,
        name: str,
        seconds: float,
        is_done: Callable[[], bool] = lambda: False,
        *,
        whoever_is_lost: bool = False,
    ) -> None:
        """For so long, or until it is done, or told to end, or, if that matters, a holder is lost."""
        deadline, shown = time.monotonic() + seconds, 0.0
        while time.monotonic() < deadline:
            if is_done() or self._stopping.is_set() or (self._crew.is_lost and not whoever_is_lost):
                return
            now = time.monotonic()
            if now - shown >= 1:
                shown = now
                self._show(name)
                if trouble := self._clocks.look():
                    self._invalid.append(trouble)
            await asyncio.sleep(min(_POLL_SECONDS, max(0.0, deadline - now)))

    def _show(self, name: str) -> None:
        crew, now = self._crew, time.time()
        last = Timeline(dict(crew.timeline.between(now - _SHOWN_SECONDS - 2, now - 1)))
        self._progress.show(now - self._began, name, last, crew.connected, crew.size, crew.busiest)

    def _happened(self, text: str) -> None:
        self._moments.append(Moment(time.time(), text))
