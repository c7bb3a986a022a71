"""Quiet rooms: each is asked about in its time, some at once; whatever one does, the next is asked about."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from structlog.testing import capture_logs

from services.gateway import metrics
from services.gateway.quiet_rooms import QuietRooms
from services.gateway.rooms import Room
from tests.support.waiting import until
from wire.errors import ErrorCode, ParleyError


class _World:
    """Stands for the rooms, the relay and the stream; `answer` is what the stream does."""

    def __init__(self, names: str, answer: Callable[[Room], Awaitable[int]]) -> None:
        self.rooms = {name: Room(name) for name in names}
        for each in self.rooms.values():
            each.last_seq = 5
            each.subscription = object()  # type: ignore[assignment]
        self.asked = Counter[str]()
        self.caught_up: list[str] = []
        self._answer = answer

    def watched(self, period: float) -> Any:
        """The block in which they are."""
        return QuietRooms(self, self, self, period=period).watched()  # type: ignore[arg-type]

    def open_rooms(self) -> list[Room]:
        return list(self.rooms.values())

    async def last_seq(self, name: str) -> int:
        self.asked[name] += 1
        return await self._answer(self.rooms[name])

    async def catch_up(self, room: Room) -> None:
        self.caught_up.append(room.name)
        room.last_seq = await self._answer(room)


async def test_a_room_is_caught_up_with_if_the_stream_has_more() -> None:
    """And is left alone if it has not, was closed, is being caught up with already, or cannot be."""

    async def answer(room: Room) -> int:
        return 7 if room.name in "bcde" else 5

    world = _World("abcde", answer)
    world.rooms["c"].subscription = None
    world.rooms["e"].filled_upto = 7
    async with world.rooms["d"].lock, world.watched(0.01):
        await until(lambda: min(world.asked["a"], world.asked["e"]) > 2, "the rooms to be asked about some times")
    assert world.caught_up == ["b"]
    assert not {"c", "d"} & world.asked.keys()


async def test_a_busy_room_is_not_asked_about() -> None:
    """What it hears would show a hole."""

    async def answer(room: Room) -> int:
        world.rooms["b"].last_seq += 1
        return room.last_seq

    world = _World("qb", answer)
    async with world.watched(0.01):
        await until(lambda: world.asked["q"] > 10, "the quiet room to be asked about some times")
    assert world.asked["b"] <= 1, "when it was new"


async def test_rooms_are_asked_about_evenly() -> None:
    """Ten thousand at once would be a load that comes and goes; they are spread over the period."""
    times: list[float] = []

    async def answer(room: Room) -> int:
        times.append(asyncio.get_running_loop().time())
        return room.last_seq

    world = _World("abcdefghij", answer)
    async with world.watched(0.5):
        await until(lambda: len(times) >= 10, "all to be asked about")
    assert times[9] - times[0] > 0.25


async def test_a_stream_that_does_not_answer_is_not_asked_for_all_rooms_at_once() -> None:
    """The others wait; at the end of the block, nothing is left."""

    async def answer(_room: Room) -> int:
        never: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        return await never

    names = "".join(chr(ord("a") + number) for number in range(26))
    world, tasks = _World(names, answer), len(asyncio.all_tasks())
    async with world.watched(0.01):
        await until(lambda: len(world.asked) == 16, "as many as may be")
        for _ in range(100):
            await asyncio.sleep(0)
    assert len(world.asked) == 16
    assert len(asyncio.all_tasks()) == tasks


async def test_whatever_goes_wrong_the_next_room_is_asked_about() -> None:
    """An outage is counted, a defect is logged."""
    errors = {"u": ParleyError(ErrorCode.UNAVAILABLE, "not now"), "d": RuntimeError("unexpected")}

    async def answer(room: Room) -> int:
        if room.name in errors:
            raise errors[room.name]
        return room.last_seq

    before = metrics.quiet_checks["unavailable",]
    world = _World("udo", answer)
    with capture_logs() as logs:
        async with world.watched(0.01):
            await until(lambda: world.asked["o"] > 2, "the room in order to be asked about some times")
    assert metrics.quiet_checks["unavailable",] - before >= 2
    assert {each["event"] for each in logs} == {"checking quiet rooms failed"}
