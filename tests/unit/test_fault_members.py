"""A member of the fault suite on a connection that lies: what it writes down lets the judge name each lie."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import pytest
import pytest_asyncio

from checker.account import Place
from checker.judge import Kind, judge
from checker.ledger import Ledger
from tests.faults.suite.member import Member
from tests.support.waiting import until

ROOM: Final = "r"


class LyingLine:
    """A room of its own: `messages` are in it, and a join tells of the newest `told_most` only."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.told_most = 100
        self.tell: Callable[[dict[str, Any]], None]

    async def start(self) -> None:
        """See `line.Line`."""

    async def stop(self) -> None:
        """See `line.Line`."""

    async def ask(self, event: str, payload: dict[str, Any], /, *, seconds: float) -> dict[str, Any]:  # noqa: ARG002
        """See `line.Line`."""
        last = self.messages[-1]["seq"] if self.messages else 0
        missed = [each for each in self.messages if each["seq"] > payload.get("after", last)]
        if event == "history":
            return {"ok": True, "messages": missed, "more": False}
        if event == "join":
            for each in missed[-self.told_most :]:
                self.tell(each)
            return {"ok": True, "seq": last, "truncated": len(missed) > self.told_most}
        return {"ok": True}


class World:
    """One member in a room. `say` puts messages into it that are acknowledged, and tells nobody."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.line = LyingLine()
        self.complaints: list[str] = []
        self.member = Member("m", [ROOM], self.ledger, random.Random(1), self.complaints.append)
        self.member.line = self.line
        self.line.tell = self.tell

    def say(self, *ids: str) -> list[dict[str, Any]]:
        """As one that another sent; returns them."""
        before = len(self.line.messages)
        for seq, id in enumerate(ids, before + 1):
            self.ledger.sending(id)
            self.ledger.sent(ROOM, seq, id, "another")
            self.line.messages.append({"room": ROOM, "seq": seq, "prev": seq - 1, "id": id})
        return self.line.messages[before:]

    def tell(self, message: dict[str, Any]) -> None:
        """The member hears it."""
        self.member.heard("message", message)

    async def connects(self) -> None:
        """Until it is where it should be."""
        self.member.connected(recovered=False)
        await until(lambda: not self.member.outside and not self.member.is_busy, "the member to be there")

    @property
    def found(self) -> set[Kind]:
        """What the judge names, given an honest history."""
        places = [Place(each["seq"], each["prev"], each["id"]) for each in self.line.messages]
        self.ledger.account.history = {ROOM: places}
        verdict = judge(self.ledger.account)
        assert verdict.acknowledged
        assert not self.complaints
        return set(verdict.counts)


@pytest_asyncio.fixture(loop_scope="session")
async def world() -> AsyncIterator[World]:
    """The member is in the room."""
    made = World()
    await made.connects()
    yield made
    await made.member.stop()


@pytest.mark.parametrize(
    ("heard", "kinds"),
    [
        ([0, 1, 2], set()),
        ([1, 2], {Kind.LOST_HEAD, Kind.HOLE}),
        ([0, 2], {Kind.LOST_MIDDLE, Kind.HOLE}),
        ([0, 1], {Kind.LOST_TAIL}),
        ([0, 1, 1, 2], {Kind.DUPLICATE}),
        ([0, 2, 1], {Kind.OUT_OF_ORDER, Kind.HOLE}),
    ],
    ids=["honest", "drops the first", "drops one", "drops the last", "repeats", "swaps"],
)
async def test_what_is_told_wrongly_is_named(world: World, heard: list[int], kinds: set[Kind]) -> None:
    """While the member is in the room."""
    said = world.say("one", "two", "three")
    for each in heard:
        world.tell(said[each])
    assert world.found == kinds


async def test_what_is_told_after_a_leave_is_named(world: World) -> None:
    """And what is not told then is owed to nobody."""
    going = asyncio.create_task(world.member.step_out(ROOM, 60))
    await until(lambda: not world.member.is_inside(ROOM) and not world.member.outside, "the member to be out")
    one, _ = world.say("one", "two")
    assert world.found == set()
    world.tell(one)
    assert world.found == {Kind.NOT_A_MEMBER}
    going.cancel()


@pytest.mark.parametrize("is_lost", [False, True])
async def test_what_a_lost_connection_missed_is_owed(world: World, *, is_lost: bool) -> None:
    """A resume that leaves one out is named, whatever it told of the others."""
    world.tell(*world.say("one"))
    world.member.disconnected()
    world.say("two", "three")
    if is_lost:
        del world.line.messages[1]
    await world.connects()
    assert (Kind.LOST_HEAD in world.found) is is_lost


@pytest.mark.parametrize("is_lost", [False, True])
async def test_what_a_truncated_join_left_out_is_owed_by_history(world: World, *, is_lost: bool) -> None:
    """The member pages back through it, up to the first that it was told of."""
    world.tell(*world.say("one"))
    world.member.disconnected()
    world.say("two", "three", "four")
    world.line.told_most = 1
    if is_lost:
        del world.line.messages[2]
    await world.connects()
    assert world.member.paged_back == 1
    assert (Kind.LOST_TAIL in world.found) is is_lost
