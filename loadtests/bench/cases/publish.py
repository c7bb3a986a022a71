"""Publish: what taking in one message costs, where almost nothing is fan-out."""

from typing import Final

from loadtests.bench.flow import Flow, Speakers, acknowledged
from loadtests.bench.measuring import US, Bench, Figures, undisturbed
from loadtests.bench.targets import Traits

_ROOMS: Final = 500
_ROOM_SIZE: Final = 2
_IN_FLIGHT: Final = 50
_WARM_UP_SECONDS: Final = 1.0


class Publish:
    """500 rooms of 2, 50 messages on their way; the connections beyond these 1,000 are idle."""

    name = "publish"

    def fits(self, traits: Traits, connections: int) -> bool:
        """Where clients publish."""
        return not traits.fan_out_only and connections >= _ROOM_SIZE

    async def run(self, bench: Bench) -> Figures:
        """CPU per message that was acknowledged and has reached both members."""
        busy = min(bench.connections, _ROOMS * _ROOM_SIZE)
        async with bench.crowd() as crowd:
            await crowd.connect(busy, room_size=_ROOM_SIZE)
            await crowd.join()
            rooms = crowd.listen(_ROOM_SIZE)
            await crowd.connect(bench.connections - busy)
            speakers = Speakers(rooms)
            flow = Flow(crowd.audiences, _IN_FLIGHT, speakers)
            warm_up = await flow.run(_WARM_UP_SECONDS)
            await acknowledged(speakers, warm_up.messages)
            with undisturbed():
                meter = bench.meter()
                said = await flow.run(bench.seconds)
                await acknowledged(speakers, warm_up.messages + said.messages)
                spent = meter.lap()
        return {
            "CPU per publish, us": spent.server_ns / said.messages / US,
            "CPU beside per publish, us": spent.beside_ns / said.messages / US,
            "publishes a second": said.messages / spent.seconds,
            "server, % of a core": spent.server_percent,
        }
