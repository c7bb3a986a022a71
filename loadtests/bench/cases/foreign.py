"""Foreign traffic: what it costs a gateway that rooms without a member there are busy elsewhere."""

import asyncio
from typing import Final

from loadtests.bench.flow import Speakers
from loadtests.bench.machine import Reading
from loadtests.bench.measuring import US, Bench, Figures, undisturbed
from loadtests.bench.pace import Pace
from loadtests.bench.settling import settled
from loadtests.bench.targets import Traits

_ROOM_SIZE: Final = 10
_BUSY_USERS: Final = 200
_BUSY_ROOM_SIZE: Final = 2
RATE: Final = 500.0
"""Messages a second."""
_SLICES: Final = 5


class Foreign:
    """All connections are members of quiet rooms of 10; elsewhere, 100 rooms of 2 get 500 messages a second.

    A second of silence and a second of traffic alternate, so that pings fall into both alike.
    """

    name = "foreign"

    def fits(self, traits: Traits, _connections: int) -> bool:
        """Where there is another gateway."""
        return not traits.fan_out_only

    async def run(self, bench: Bench) -> Figures:
        """CPU of the gateway that has nothing to do with it, without and with the traffic."""
        async with bench.crowd() as crowd, bench.crowd(gateway=2, first_user=bench.connections) as others:
            await others.connect(_BUSY_USERS, room_size=_BUSY_ROOM_SIZE)
            await others.join()
            talkers = list(others.talkers)
            pace = Pace(others.audiences, talkers, Speakers(others.listen(_BUSY_ROOM_SIZE)))
            await pace.run(RATE, 1.0)
            await crowd.connect(bench.connections, room_size=_ROOM_SIZE)
            await crowd.join()
            await settled(bench)
            with undisturbed():
                quiet = busy = 0.0
                meter = bench.meter()
                for _ in range(_SLICES):
                    await asyncio.sleep(1.0)
                    quiet += _ns_a_second(meter.lap())
                    await pace.run(RATE, 1.0)
                    busy += _ns_a_second(meter.lap())
        return {
            "CPU when all is quiet, ms a second": quiet / _SLICES / 1e6,
            "CPU with foreign traffic, ms a second": busy / _SLICES / 1e6,
            "CPU per foreign message, us": (busy - quiet) / _SLICES / RATE / US,
        }


def _ns_a_second(spent: Reading) -> float:
    return spent.server_ns / spent.seconds
