"""The run: sets targets up, and measures case by case, one target after the other, as often as wanted."""

import asyncio
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Final

from deploy.local.process import StackError
from loadtests.bench import relaying
from loadtests.bench.cases.fan_out import IN_FLIGHT
from loadtests.bench.machine import Cores, MachineError
from loadtests.bench.measuring import Bench, Case
from loadtests.bench.options import Options
from loadtests.bench.peers import send_loop
from loadtests.bench.peers.send_loop import SendLoop
from loadtests.bench.samples import Sample, Samples
from loadtests.bench.targets import Target, TargetError
from loadtests.light.connection import ClientError

_MEASUREMENT_SECONDS: Final = 240.0
"""For one, the server's start and the crowd's arrival among it."""
_FAN_OUT: Final = "fanout"
_EXPECTED: Final = (ClientError, TargetError, StackError, MachineError, OSError, TimeoutError)


class Run:
    """A run of `options` on one machine. `skipped` says why a target is not there."""

    def __init__(self, options: Options, cores: Cores) -> None:
        self.samples = Samples()
        self.skipped: dict[str, str] = {}
        self.targets: list[Target] = []
        self._options = options
        self._cores = cores
        self._notes: dict[str, float] = {}
        self._started = time.monotonic()

    async def set_up(self, stack: AsyncExitStack, targets: Iterable[Target]) -> None:
        """Start what can be started; a peer that cannot is told of loudly, and left out."""
        for each in targets:
            if not self._options.wants(each.traits.name):
                continue
            try:
                await stack.enter_async_context(each)
                await relaying.check(each)
            except (*_EXPECTED, ExceptionGroup) as error:
                self.skipped[each.traits.name] = _reason(error)
                _say(f"SKIPPED {each.traits.name}: {_reason(error)}", *each.complaints())
            else:
                self.targets.append(each)

    async def measure(self, cases: Sequence[Case]) -> None:
        """Everything; a measurement that fails is a sample, and the run goes on."""
        turns = [
            (repeat, connections, case)
            for repeat in range(self._options.repeats)
            for connections in self._options.connections
            for case in cases
        ]
        for number, (repeat, connections, case) in enumerate(turns, 1):
            ordered = self.targets[::-1] if repeat % 2 == 0 else self.targets
            for target in ordered:
                if case.fits(target.traits, connections):
                    what = f"{case.name}, {connections:,} connections, {target.traits.name}"
                    _say(f"{number}/{len(turns)} after {self._minutes():.0f} min: {what}")
                    self.samples.add(await self._one(case, target, connections, repeat))

    def _elsewhere(self) -> list[int]:
        return [pid for each in self.targets for pid in each.elsewhere()]

    def _minutes(self) -> float:
        return (time.monotonic() - self._started) / 60

    async def measure_floor(self, floor: SendLoop) -> None:
        """What no server with one write per delivery can go below, beside each fan-out."""
        if _FAN_OUT not in self._options.cases:
            return
        try:
            await floor.compile()
            for repeat in range(self._options.repeats):
                for connections in self._options.connections:
                    cost = await floor.us(connections)
                    figures = {f"CPU per delivery, {each} in flight, us": cost for each in IN_FLIGHT}
                    self.samples.add(Sample(_FAN_OUT, connections, repeat, send_loop.NAME, figures))
        except _EXPECTED as error:
            self.skipped[send_loop.NAME] = str(error)
            _say(f"SKIPPED {send_loop.NAME}: {error}")

    async def _one(self, case: Case, target: Target, connections: int, repeat: int) -> Sample:
        figures: dict[str, float] = {}
        failure = ""
        bench = Bench(target, connections, self._options.seconds, self._elsewhere, self._notes)
        try:
            async with asyncio.timeout(_MEASUREMENT_SECONDS):
                await target.renew()
                figures = await case.run(bench)
        except (*_EXPECTED, ExceptionGroup) as error:
            failure = _reason(error)
            _say(f"FAILED: {failure}", *target.complaints())
        return Sample(case.name, connections, repeat, target.traits.name, figures, failure, tuple(bench.remarks))


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError) and not str(error):
        return f"was not done within {_MEASUREMENT_SECONDS:g} s"
    if not isinstance(error, _EXPECTED):
        raise error
    return str(error) or type(error).__name__


def _say(*lines: str) -> None:
    print(*lines, sep="\n  ", file=sys.stderr, flush=True)
