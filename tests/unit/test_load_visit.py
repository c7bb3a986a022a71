"""What a load test's user writes down in its rooms: which messages are timed, and where it resumes."""

from typing import Any

import pytest

from checker.judge import Kind, judge
from loadtests import kinds
from loadtests.failures import Failure
from loadtests.scenario import Scenario
from loadtests.users.visit import Visit

ROOM = "load-r1-0"


class Answers:
    """Answers joins; with what the server says to the visit before it does. Stands for `ChatClient`."""

    def __init__(self, visit: Visit | None = None, missed: tuple[dict[str, Any], ...] = (), **reply: Any) -> None:
        self.asked: list[dict[str, Any]] = []
        self.is_open = True
        self._visit = visit
        self._missed = missed
        self._reply = {"seq": 0, "truncated": False, **reply}

    def ask(self, event: str, payload: dict[str, Any], kind: str) -> dict[str, Any]:
        """Of `ChatClient`."""
        self.asked.append({"event": event, "kind": kind, **payload})
        for each in self._missed:
            assert self._visit is not None
            self._visit.on_message(each)
        if "code" in self._reply:
            raise Failure(self._reply["code"])
        return self._reply

    def vanish(self) -> None:
        """Of `ChatClient`."""
        self.is_open = False


class World:
    """A scenario of one room, a seat in it, and what is reported."""

    def __init__(self) -> None:
        self.scenario = Scenario(["http://a"], ["token"], 1, run="r1")
        self.seat = self.scenario.seat("chat")
        self.timed: list[tuple[str, float | None]] = []

    def visit(self, before: dict[str, int] | None = None) -> Visit:
        """A new one."""
        return Visit(
            self.scenario, self.seat, lambda kind, seconds, _: self.timed.append((kind, seconds)), before or {}
        )

    def message(self, seq: int, *, host: str | None = None, room: str = ROOM) -> dict[str, Any]:
        """As the server sends it; sent at 0."""
        data = {"sent": 0.0, "host": host or self.scenario.host}
        return {"room": room, "seq": seq, "prev": seq - 1, "id": f"m{seq}", "data": data}

    def counted(self, what: str) -> int:
        """How often, so far."""
        return self.scenario.timeline.counted(what)


@pytest.fixture
def world() -> World:
    """A new one."""
    return World()


def test_what_comes_to_a_member_is_timed_and_what_was_missed_is_not(world: World) -> None:
    """A message that waited for its reader says nothing of how long it takes; it counts all the same."""
    visit = world.visit({ROOM: 3})
    client = Answers(visit, (world.message(4), world.message(5)), seq=5)
    visit.join_all(client)  # type: ignore[arg-type]
    assert client.asked == [{"event": "join", "kind": kinds.RESUME, "room": ROOM, "after": 3}]
    assert world.timed == []
    visit.on_message(world.message(6))
    ((kind, seconds),) = world.timed
    assert kind == kinds.DELIVERY
    assert seconds is not None
    assert seconds > 0
    assert world.counted(kinds.DELIVERIES) == 3


def test_by_another_hosts_clock_nothing_is_timed(world: World) -> None:
    """Two hosts' monotonic clocks have nothing in common; it is counted, so that a report can say so."""
    visit = world.visit()
    visit.join_all(Answers())  # type: ignore[arg-type]
    visit.on_message(world.message(1, host="elsewhere"))
    visit.on_message({**world.message(2), "data": "of somebody else's"})
    assert world.timed == []
    assert world.counted(kinds.UNTIMED) == 1
    assert world.counted(kinds.DELIVERIES) == 2


def test_it_resumes_after_the_last_that_came_or_where_it_joined(world: World) -> None:
    """Also when the connection was gone before a join was acknowledged: what came before is not asked for again."""
    visit = world.visit()
    visit.join_all(Answers(seq=7))  # type: ignore[arg-type]
    assert visit.positions == {ROOM: 7}
    visit.on_message(world.message(8))
    visit.cut_off()
    again = world.visit(visit.positions)
    with pytest.raises(Failure):
        again.join_all(Answers(again, (world.message(9),), code=kinds.DISCONNECTED))  # type: ignore[arg-type]
    assert again.positions == {ROOM: 9}
    never = world.visit({ROOM: 9})
    assert never.positions == {ROOM: 9}


def test_a_resume_that_began_with_a_hole_and_was_not_answered_is_made_again(world: World) -> None:
    """More may have been missed than is told at once, and the answer, which would have said so, was lost."""
    visit = world.visit({ROOM: 3})
    with pytest.raises(Failure):
        visit.join_all(Answers(visit, (world.message(9),), code=kinds.DISCONNECTED))  # type: ignore[arg-type]
    visit.cut_off()
    assert visit.positions == {ROOM: 3}


def test_truncated_resumes_are_counted(world: World) -> None:
    """What they left out is in nobody's account."""
    visit = world.visit({ROOM: 3})
    visit.join_all(Answers(visit, (world.message(9),), seq=9, truncated=True))  # type: ignore[arg-type]
    assert world.counted(kinds.TRUNCATED) == 1
    visit.cut_off()
    assert visit.positions == {ROOM: 9}


def test_a_join_without_an_answer_ends_the_connection(world: World) -> None:
    """In the room or not, nobody knows: a new connection does."""
    client = Answers(code=kinds.TIMEOUT)
    with pytest.raises(Failure):
        world.visit().join_all(client)  # type: ignore[arg-type]
    assert not client.is_open


def test_a_message_of_a_room_that_nobody_asked_for_is_found_out(world: World) -> None:
    """The judge sees it; it is no place to resume at."""
    visit = world.visit()
    visit.join_all(Answers())  # type: ignore[arg-type]
    visit.on_message(world.message(1, room="another"))
    assert judge(world.scenario.ledger.account).counts == {Kind.NOT_A_MEMBER: 1}
    assert visit.positions == {ROOM: 0}
