"""Fan-out: what one delivery of a message to one member costs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from loadtests.bench.crowd import Crowd
from loadtests.bench.flow import Flow, Speakers, Speech, acknowledged
from loadtests.bench.measuring import US, Bench, Figures, undisturbed
from loadtests.bench.posting import Posts
from loadtests.bench.targets import Traits

IN_FLIGHT: Final = (2, 20)
_WARM_UP_SECONDS: Final = 1.0
_ROOM_USUAL: Final = 1000


class FanOut:
    """Rooms of `room_size`, or one room of all, with so many messages in flight in each.

    So eight rooms are as busy as one, and what differs is how many connections there are. Eight rooms that share two
    messages are measured, too: that is what a crowd in quiet rooms costs.
    """

    def __init__(self, name: str, *, room_size: int | None = None) -> None:
        self.name = name
        self._room_size = room_size

    def fits(self, _traits: Traits, connections: int) -> bool:
        """One room of all is another case only where there are several rooms otherwise."""
        return self._room_size is not None or connections > _ROOM_USUAL

    async def run(self, bench: Bench) -> Figures:
        """CPU per delivery, of the server and beside it; and how many deliveries there were a second."""
        figures: Figures = {}
        async with bench.crowd() as crowd:
            await crowd.connect(bench.connections, room_size=self._room_size or bench.connections)
            await crowd.join()
            async with _speech(bench, crowd) as speech:
                await Flow(crowd.audiences, IN_FLIGHT[0], speech).run(_WARM_UP_SECONDS)
                rooms = len(crowd.audiences)
                loads = {f"{each} in flight": each * rooms for each in IN_FLIGHT}
                if rooms > 1:
                    loads[f"{IN_FLIGHT[0]} in flight in all rooms"] = IN_FLIGHT[0]
                for load, in_flight in loads.items():
                    flow = Flow(crowd.audiences, in_flight, speech)
                    with undisturbed():
                        meter = bench.meter()
                        said = await flow.run(bench.seconds)
                        spent = meter.lap()
                    figures |= {
                        f"CPU per delivery, {load}, us": spent.server_ns / said.deliveries / US,
                        f"CPU beside per delivery, {load}, us": spent.beside_ns / said.deliveries / US,
                        f"deliveries a second, {load}": said.deliveries / spent.seconds,
                        f"server, {load}, % of a core": spent.server_percent,
                    }
                if isinstance(speech, Speakers):
                    await acknowledged(speech, sum(each.said for each in crowd.audiences))
        return figures


@asynccontextmanager
async def _speech(bench: Bench, crowd: Crowd) -> AsyncIterator[Speech]:
    speakers = crowd.listen(max(IN_FLIGHT))
    if not bench.target.traits.fan_out_only:
        yield Speakers(speakers)
        return
    async with Posts(bench.target.port(1), max(IN_FLIGHT)) as posts:
        yield posts
