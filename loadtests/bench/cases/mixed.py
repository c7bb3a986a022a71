"""Mixed: the latency of a chat, at loads that are the same share of a core on every server."""

from typing import Final

from loadtests.bench.flow import Speakers
from loadtests.bench.machine import Reading
from loadtests.bench.measuring import US, Bench, Figures, undisturbed
from loadtests.bench.pace import Pace
from loadtests.bench.settling import settled
from loadtests.bench.targets import Traits

_USERS: Final = 1000
_ROOM_SIZE: Final = 10
_LOADS: Final = (25, 50, 75)
_PERCENTILES: Final = (50, 99, 99.9)
_FIRST_RATE: Final = 200.0
_RATE_MOST: Final = 8000.0
"""What the clients' own core can take in, with ten deliveries a message."""
_PILOT_SECONDS: Final = 1.0
_WARM_UP_RATE: Final = 500.0
_WARM_UP_SECONDS: Final = 2.0
_YARDSTICK: Final = "node + redis streams"
_COMPARED: Final = "parley"
_NOTE: Final = "mixed: rate of the yardstick at 50 %"


class Mixed:
    """1,000 users in 100 rooms; the connections beyond these are idle."""

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
                spent, cost = await _measured(bench, pace, rate)
                figures |= _latencies(pace, f"{load} %")
                figures[f"messages a second at {load} %"] = rate
                figures[f"server at {load} %, % of a core"] = spent.server_percent
                figures[f"clients' core at {load} %, %"] = spent.rest_busy * 100
                if load == 50 and bench.target.traits.name == _YARDSTICK:
                    bench.notes[f"{_NOTE}, {bench.connections}"] = rate
            figures |= await _at_the_yardsticks_rate(bench, pace)
        return figures


async def _at_the_yardsticks_rate(bench: Bench, pace: Pace) -> Figures:
    rate = bench.notes.get(f"{_NOTE}, {bench.connections}")
    if rate is None or bench.target.traits.name != _COMPARED:
        return {}
    await _measured(bench, pace, rate)
    return _latencies(pace, f"the rate of {_YARDSTICK} at 50 %")


async def _measured(bench: Bench, pace: Pace, rate: float) -> tuple[Reading, float]:
    with undisturbed():
        meter = bench.meter()
        messages = await pace.run(rate, bench.seconds)
        spent = meter.lap()
    return spent, spent.server_ns / messages / US


async def _cost(bench: Bench, pace: Pace, rate: float) -> float:
    """Of a message at about this rate, in microseconds: the more a server can join, the less it costs."""
    meter = bench.meter()
    messages = await pace.run(rate, _PILOT_SECONDS)
    return meter.lap().server_ns / messages / US


def _rate(load: int, cost: float) -> float:
    return min(_RATE_MOST, load / 100 * 1e6 / cost)


def _latencies(pace: Pace, where: str) -> Figures:
    latencies = pace.latencies()
    return {f"p{percent:g} at {where}, ms": latencies.percentile_ms(percent) for percent in _PERCENTILES}
