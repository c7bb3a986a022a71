"""Fan-out: what one delivery of a message to one member costs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from loadtests.bench.crowd import Crowd
from loadtests.bench.flow import Flow, Speakers, Speech, acknowledged
from loadtests.bench.measuring import US, Bench, Figures, undisturbed
from loadtests.bench.posting import Posts
from loadtests.bench.targets import Traits

_WARM_UP_SECONDS: Final = 1.0


class FanOut:
    """Rooms of `room_size`, or one room of all; `in_flight` messages are on their way in all rooms together."""

    def __init__(self, name: str, *, in_flight: int, room_size: int | None = None) -> None:
        self.name = name
        self._in_flight = in_flight
        self._room_size = room_size

    def fits(self, _traits: Traits, connections: int) -> bool:
        """One room of all is another case only where there are several rooms otherwise."""
        return self._room_size is not None or connections > 1000

    async def run(self, bench: Bench) -> Figures:
        """CPU per delivery, of the server and beside it; and how many deliveries there were a second."""
        async with bench.crowd() as crowd:
            await crowd.connect(bench.connections, room_size=self._room_size or bench.connections)
            await crowd.join()
            async with self._speech(bench, crowd) as speech:
                flow = Flow(crowd.audiences, self._in_flight, speech)
                await flow.run(_WARM_UP_SECONDS)
                with undisturbed():
                    meter = bench.meter()
                    said = await flow.run(bench.seconds)
                    spent = meter.lap()
                if isinstance(speech, Speakers):
                    await acknowledged(speech, sum(each.said for each in crowd.audiences))
        return {
            "CPU per delivery, us": spent.server_ns / said.deliveries / US,
            "CPU beside per delivery, us": spent.beside_ns / said.deliveries / US,
            "deliveries a second": said.deliveries / spent.seconds,
            "server, % of a core": spent.server_percent,
        }

    @asynccontextmanager
    async def _speech(self, bench: Bench, crowd: Crowd) -> AsyncIterator[Speech]:
        speakers = crowd.listen(self._in_flight)
        if not bench.target.traits.fan_out_only:
            yield Speakers(speakers)
            return
        async with Posts(bench.target.port(1), self._in_flight) as posts:
            yield posts
