"""Recovery: whatever breaks, is lost on the way or comes late, a client gets everything once and in order."""

import asyncio
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway import relay
from tests.support.recovery_world import ROOMS, Client, World


class _Scenario:
    """Anything that may happen, in any order. Each step takes a room and a number, and may ignore them."""

    def __init__(self) -> None:
        self.world = World()
        self.client = Client(self.world)
        self.connecting: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """The client is connected to one of the two."""
        await self.client.connect(self.world.gateways[0])

    def say(self, room: str, _number: int) -> None:
        self.world.say(room)

    def hear(self, room: str, number: int) -> None:
        self.world.gateways[number % 2].hear(room)

    def lose(self, room: str, number: int) -> None:
        self.world.gateways[number % 2].lose(room)

    def read(self, _room: str, number: int) -> None:
        self.client.read(number)

    def turn(self, _room: str, _number: int) -> None:
        pass

    def break_off(self, _room: str, _number: int) -> None:
        self.client.lose(noticed=True)

    def vanish(self, _room: str, _number: int) -> None:
        self.client.lose(noticed=False)

    def connect(self, _room: str, number: int) -> None:
        if self.client.connection is None and (self.connecting is None or self.connecting.done()):
            self.connecting = asyncio.ensure_future(self.client.connect(self.world.gateways[number % 2]))

    def join(self, room: str, _number: int) -> None:
        self.client.join(room)

    def leave(self, room: str, _number: int) -> None:
        self.client.leave(room)

    def refresh(self, _room: str, _number: int) -> None:
        for gateway, connection in self.client.connections:
            if connection.is_open:
                gateway.sessions._on_age(connection)

    def no_answer(self, _room: str, number: int) -> None:
        self.world.bucket.lost = number // 3

    async def settle(self) -> None:
        """Everything heals: the client is connected, both gateways have caught up, and all is read."""
        world, client = self.world, self.client
        world.bucket.lost = 0
        if self.connecting is not None:
            await self.connecting
        if client.connection is None or not client.connection.is_open:
            client.lose(noticed=True)
            await client.connect(world.gateways[0])
        for _ in range(3):
            for gateway in world.gateways:
                await gateway.relay.catch_up_all(gateway.rooms.open_rooms())
            while client.tasks or not client.has_read or any(each.relay._tasks for each in world.gateways):
                client.read(1)
                await asyncio.sleep(0)
            for _ in range(10):
                await asyncio.sleep(0)
        client.check()


_often = ["say"] * 3 + ["hear"] * 4 + ["read"] * 3 + ["turn"] * 2 + ["join"] * 2
_seldom = ["lose", "break_off", "vanish", "connect", "connect", "leave", "refresh", "no_answer"]
_step = st.tuples(st.sampled_from(_often + _seldom), st.sampled_from(ROOMS), st.integers(0, 5))


@given(steps=st.lists(_step, min_size=100, max_size=200))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_happens_all_is_told_once_and_in_order(steps: list[tuple[str, str, int]]) -> None:
    """Over connections that break with something unread, two gateways that lose messages, and puts without answer."""
    loop = asyncio.new_event_loop()
    try:
        with mock.patch.object(relay, "_SHORTEST_PAUSE", 0):
            loop.run_until_complete(_run(steps))
    finally:
        loop.close()


async def _run(steps: list[tuple[str, str, int]]) -> None:
    scenario = _Scenario()
    await scenario.begin()
    for what, room, number in steps:
        getattr(scenario, what)(room, number)
        for _ in range(number):
            await asyncio.sleep(0)
        scenario.client.check()
    await scenario.settle()
    for room, got in scenario.client.got.items():
        assert got[-1:] == scenario.world.stored[room][-1:]
