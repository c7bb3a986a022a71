"""Mixed: the latency of a chat, at loads that are the same share of a core on every server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from loadtests.bench.flow import Speakers
from loadtests.bench.measuring import US, Bench, Figures, undisturbed
from loadtests.bench.pace import Pace
from loadtests.bench.scheduling import before_others, stopped
from loadtests.bench.settling import settled
from loadtests.bench.targets import Traits

_USERS: Final = 1000
_ROOM_SIZE: Final = 10
_LOADS: Final = (25, 50, 75)
"""Of the server's core, in percent."""
PERCENTILES: Final = (50, 99, 99.9)
_FIRST_RATE: Final = 200.0
_RATE_MOST: Final = 8000.0
"""What the clients' own core can take in, with ten deliveries a message."""
_PILOT_SECONDS: Final = 1.0
_WARM_UP_RATE: Final = 500.0
_WARM_UP_SECONDS: Final = 2.0
_YARDSTICK: Final = "node + redis streams"
_COMPARED: Final = "parley"
SAME_RATE: Final = f"the rate of {_YARDSTICK} at 50 %"
LOADS: Final = (*(f"{each} %" for each in _LOADS), SAME_RATE)
"""As the names of figures tell them."""
_NOTE: Final = "mixed: rate of the yardstick at 50 %"


class Mixed:
    """1,000 users in 100 rooms; the connections beyond these are idle.

    In the seconds that count, what is on a message's way runs before everything else on the machine, and what no
    message waits for stands still, of all targets: in production it runs elsewhere, and here it would take the core
    of clients and broker. In between it catches up.
    """

    name = "mixed"

    def fits(self, traits: Traits, connections: int) -> bool:
        """Where clients publish."""
        return not traits.fan_out_only and connections >= _ROOM_SIZE

    async def run(self, bench: Bench) -> Figures:
        """Latency from send to receipt by each member, at rates that take these shares of the server's core."""
        busy = min(bench.connections, _USERS)
        figures: Figures = {}
        async with bench.crowd() as crowd:
            await crowd.connect(busy, room_size=_ROOM_SIZE)
            await crowd.join()
            talkers = list(crowd.talkers)
            speakers = Speakers(crowd.listen(_ROOM_SIZE))
            await crowd.connect(bench.connections - busy)
            await settled(bench)
            pace = Pace(crowd.audiences, talkers, speakers)
            await pace.run(_WARM_UP_RATE, _WARM_UP_SECONDS)
            cost = await _cost(bench, pace, _FIRST_RATE)
            for load in _LOADS:
                cost = await _cost(bench, pace, _rate(load, cost))
                rate = _rate(load, cost)
                if rate == _RATE_MOST:
                    bench.remarks.append(
                        f"{load} %: held to {rate:,g} messages a second, what the clients can take in"
                    )
                figures |= await _measured(bench, pace, rate, f"{load} %")
                cost = figures[cpu(f"{load} %")] * 1e4 / rate
                if load == 50 and bench.target.traits.name == _YARDSTICK:
                    bench.notes[f"{_NOTE}, {bench.connections}"] = rate
            rate = bench.notes.get(f"{_NOTE}, {bench.connections}", 0)
            if rate and bench.target.traits.name == _COMPARED:
                figures |= await _measured(bench, pace, rate, SAME_RATE)
        return figures


async def _measured(bench: Bench, pace: Pace, rate: float, load: str) -> Figures:
    with _alone(bench, load):
        meter = bench.meter()
        await pace.run(rate, bench.seconds)
        spent = meter.lap()
    latencies = pace.latencies()
    return {
        **{latency(each, load): latencies.percentile_ms(each) for each in PERCENTILES},
        messages(load): rate,
        cpu(load): spent.server_percent,
        clients_cpu(load): spent.rest_percent,
    }


async def _cost(bench: Bench, pace: Pace, rate: float) -> float:
    """Of a message at about this rate, in microseconds: the more a server can join, the less it costs."""
    with _alone(bench, "pilots"):
        meter = bench.meter()
        said = await pace.run(rate, _PILOT_SECONDS)
        return meter.lap().server_ns / said / US


@contextmanager
def _alone(bench: Bench, load: str) -> Iterator[None]:
    elsewhere = bench.elsewhere()
    on_the_way = {os.getpid(), bench.target.server(), *bench.target.beside()}.difference(elsewhere)
    with undisturbed(), stopped(elsewhere), before_others(on_the_way) as alone:
        if not alone:
            bench.remarks.append(f"{load}: others on this machine may come between, only root can keep them off")
        yield


def _rate(load: int, cost: float) -> float:
    return min(_RATE_MOST, load / 100 * 1e6 / cost)


def latency(percent: float, load: str) -> str:
    """The name of a figure."""
    return f"p{percent:g} at {load}, ms"


def messages(load: str) -> str:
    """The name of a figure."""
    return f"messages a second at {load}"


def cpu(load: str) -> str:
    """The name of a figure."""
    return f"server at {load}, % of a core"


def clients_cpu(load: str) -> str:
    """The name of a figure."""
    return f"clients and broker at {load}, % of a core"
