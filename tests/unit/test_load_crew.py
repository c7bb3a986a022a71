"""How a run of holders ends when one of them is lost: what the others have under way arrives before it is judged."""

import asyncio
import io
import time
from typing import Any

from loadtests.connections import orders
from loadtests.connections.conductor import Conductor, Plan
from loadtests.connections.crew import Crew, Hand
from loadtests.facts import Facts
from loadtests.progress import Progress
from loadtests.slo import Slo

PLAN = Plan("hold", 1, 60, connect_rate=1000, steps=1, step_seconds=1, skipped_seconds=0)


def _hand(name: str) -> Hand:
    setup: dict[str, Any] = {"run": "r", "index": 0, "count": 2, "first": 0, "urls": [], "sources": []}
    return Hand(orders.Setup(name=name, tokens=["one", "two"], room_size=2, connect_rate=1, **setup))


class _Crew(Crew):
    """Two holders without processes: the first is lost, the second has what is under way after a while."""

    def __init__(self) -> None:
        super().__init__([])
        self.hands = [_hand("lost"), _hand("there")]
        self.judged: list[bool] = []
        for hand in self.hands:
            hand.connected = 2
        self.hands[1].reading = asyncio.create_task(self._arrive(self.hands[1]))

    async def _arrive(self, hand: Hand) -> None:
        for _ in range(40):
            hand.reported = time.time()
            await asyncio.sleep(0.1)
        hand.is_settled = True
        while True:
            hand.reported = time.time()
            await asyncio.sleep(0.1)

    async def finish(self) -> Facts:
        """What is known then."""
        self.judged.append(self.hands[1].is_settled)
        return Facts()


async def test_a_lost_holder_is_no_reason_not_to_wait_for_the_others() -> None:
    """Their messages would be taken for lost, and a run that says nothing for a broken one."""
    crew = _Crew()
    try:
        assert crew.is_lost
        conductor = Conductor(crew, PLAN, Slo(drops_per_minute=0), Progress(io.StringIO()), asyncio.Event())
        await conductor.run()
        assert crew.judged == [True]
    finally:
        for hand in crew.hands:
            if hand.reading is not None:
                hand.reading.cancel()
