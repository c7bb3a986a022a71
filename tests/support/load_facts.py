"""Facts of a run that never was, with known numbers: what the reports are written from."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from checker.account import Account, Acknowledged, Place, Stay
from loadtests import kinds
from loadtests.facts import Facts, Moment, Phase, Process, Usage
from loadtests.report.assemble import Run, assemble
from loadtests.report.results import Environment, Host, Results
from loadtests.slo import DEFAULT, Limits, Slo

BEGAN = 1_790_000_000
RAMP, LENGTH = 10, 60
USERS = 40
ENVIRONMENT = Environment(
    Host(2, "Some <Processor>", 24 * 2**30, "Linux 6.1", "3.11.2"),
    "0123456789ab+",
    {"Locust": "2.47"},
    "two gateways",
)


def account(messages: int = 20, readers: int = 3) -> Account:
    """One room in which nothing is wrong: each of `readers` got all of it, and so did history."""
    places = [Place(number, number - 1, f"id-{number}") for number in range(1, messages + 1)]
    return Account(
        acknowledged=[Acknowledged("room <1>", each.seq, each.id, "user-1") for each in places],
        stays=[Stay(f"user-{n}", "room <1>", 0, list(places), lasted=True) for n in range(1, readers + 1)],
        history={"room <1>": list(places)},
    )


def facts(*, latency: float = 0.02, cpu: float = 40.0, names: Sequence[str] = ("hold",)) -> Facts:
    """Ten seconds of arriving, then a minute in equal phases: 4 messages a second, 12 deliveries, 1 page.

    Half of the messages take `latency` seconds, half of them ten times that in the last phase.
    """
    found = Facts(account=account(), settled=True, gateways={"gateway-1": 20, "gateway-2": 20})
    each = LENGTH / len(names)
    found.phases = [Phase("ramp", BEGAN, BEGAN + RAMP, measured=False)]
    for number, name in enumerate(names):
        begin = BEGAN + RAMP + number * each
        found.phases.append(Phase(name, begin, begin + each))
    for second in range(RAMP + LENGTH):
        _second(found, second, latency * (10 if len(names) > 1 and second >= RAMP + LENGTH - each else 1))
    found.moments = [Moment(BEGAN + 30.0, "gateway-1 <restarts>"), Moment(BEGAN + 40.0, "gateway-2 restarts")]
    found.generators = [Process("generator-1", "host-1", usage(cpu, 300))]
    return found


def _second(found: Facts, second: int, latency: float) -> None:
    now, line = BEGAN + second, found.timeline
    there = min(USERS, (second + 1) * USERS // RAMP)
    line.level(kinds.USERS, there, now)
    line.level(kinds.CONNECTED, there - (second == 30), now)
    if second < RAMP:
        for _ in range(USERS // RAMP):
            line.took(kinds.CONNECT, 0.03 + 0.002 * second, now)
        return
    for number in range(4):
        line.took(kinds.MESSAGE, latency * (1 + number % 2 * (1 + math.sin(second / 3))), now)
    for _ in range(12):
        line.took(kinds.DELIVERY, latency * 1.5, now)
    line.count(kinds.DELIVERIES, now, 12)
    line.took(kinds.PAGE, 0.05, now)
    if second == 30:
        line.count(kinds.DROPS, now)
        line.failed(kinds.TYPING, kinds.TIMEOUT, now)
    if second == 33:
        line.took(kinds.RECONNECT, 2.5, now)
        line.took(kinds.RESUME, 0.2, now)
    line.took(kinds.TYPING, 0.001, now)


def usage(cpu: float, mib: int, connections: int | None = None) -> list[Usage]:
    """Of every second."""
    return [
        Usage(BEGAN + each, cpu + 5 * math.sin(each / 4), (mib + each) * 2**20, connections)
        for each in range(RAMP + LENGTH)
    ]


def run(*, steps: bool = False, slo: Path = DEFAULT, gateways: int = 2) -> Run:
    """What is known beside them."""
    return Run(
        tool="locust",
        began=float(BEGAN),
        settings={"users": USERS, "seconds": LENGTH, "url": "<b>&", "tokens": None},
        target="two gateways | of <its> own",
        urls=[],
        token="the-token",  # noqa: S106 - it is to be found nowhere
        slo=Slo.read(slo),
        gateways=[Process(f"gateway-{n}", "", usage(20.0 * n, 90, 20)) for n in range(1, gateways + 1)],
        steps=steps,
    )


LENIENT: Final[Slo] = Slo({kinds.MESSAGE: Limits(p99_ms=500, failed_percent=1), kinds.DELIVERY: Limits(p99_ms=500)})


def results(found: Facts, known: Run | None = None, slo: Slo = LENIENT) -> Results:
    """As they come of these."""
    known = known or run()
    known.slo = slo
    return assemble(found, known, ENVIRONMENT)
