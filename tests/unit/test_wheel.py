"""The timer wheel: never early, at most a tick late, and only the time in which the process ran counts."""

from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.edge import wheel
from services.gateway.edge.wheel import Wheel
from tests.support.edge import Clockwork

TICK = 0.1
_ROUNDING = 1e-6


@pytest.fixture
def clockwork() -> Iterator[Clockwork]:
    """The loop that wheels of this test turn on."""
    clock = Clockwork()
    with mock.patch.object(wheel, "asyncio", clock):
        yield clock


@given(
    items=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 5)), min_size=1, max_size=20),
    start=st.floats(0, 1e6),
)
def test_nothing_is_due_early_or_more_than_a_tick_late(items: list[tuple[float, float]], start: float) -> None:
    """Whenever it is added, for however long, and whether anything else waits or not."""
    clock = Clockwork()
    clock.now = start
    came: list[tuple[float, float]] = []
    with mock.patch.object(wheel, "asyncio", clock):
        turning: Wheel[float] = Wheel(lambda due: came.append((due, clock.now)), tick=TICK)
        for pause, delay in items:
            clock.pass_time(pause)
            turning.add(clock.now + delay, delay)
        clock.pass_time(5 + 2 * TICK)
    assert len(came) == len(items)
    for due, now in came:
        assert due - _ROUNDING <= now <= due + TICK + _ROUNDING


def test_time_in_which_the_process_was_stopped_does_not_count(clockwork: Clockwork) -> None:
    """What had a second to go has a second to go afterwards, and not twice."""
    came: list[str] = []
    turning: Wheel[str] = Wheel(came.append, tick=TICK)
    turning.add("a", 1.0)
    clockwork.pass_time(0.55)
    clockwork.stand_still(30)
    clockwork.pass_time(0.35)
    assert came == []
    turning.add("b", 1.0)
    clockwork.pass_time(0.3)
    assert came == ["a"]
    clockwork.pass_time(1.0)
    assert came == ["a", "b"]


def test_a_loop_that_is_late_by_less_than_a_second_catches_up(clockwork: Clockwork) -> None:
    """Everything overdue comes at once, in the order in which it was due."""
    came: list[str] = []
    turning: Wheel[str] = Wheel(came.append, tick=TICK)
    turning.add("second", 0.5)
    turning.add("first", 0.2)
    clockwork.stand_still(0.9)
    clockwork.pass_time(TICK)
    assert came == ["first", "second"]


def test_what_is_added_while_something_is_due_comes_later(clockwork: Clockwork) -> None:
    """Not within the same turn, for ever; and a wheel that has run empty turns again."""
    came: list[float] = []

    def again(_: str) -> None:
        came.append(clockwork.now)
        if len(came) < 3:
            turning.add("x", 0.0)

    turning: Wheel[str] = Wheel(again, tick=TICK)
    turning.add("x", 0.0)
    clockwork.pass_time(1.0)
    assert len(set(came)) == 3
    turning.add("x", 0.0)
    clockwork.pass_time(1.0)
    assert len(came) == 4


def test_a_wheel_that_was_stopped_forgets_everything(clockwork: Clockwork) -> None:
    """Nothing comes any more."""
    came: list[str] = []
    turning: Wheel[str] = Wheel(came.append, tick=TICK)
    turning.add("x", 0.1)
    turning.stop()
    clockwork.pass_time(1.0)
    assert came == []
