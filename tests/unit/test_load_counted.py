"""Which seconds of a run count for what: those of arriving users for connects and joins, the end for what is late."""

import time

import pytest

from loadtests import counted, kinds, waiting
from loadtests.facts import Facts, Phase, Usage
from loadtests.report import words
from loadtests.report.results import Ending, Objective
from loadtests.slo import Limits, Slo
from loadtests.timeline import Timeline
from tests.support.load_facts import BEGAN, LENGTH, RAMP, facts, results, run

CONNECTS = Slo({kinds.CONNECT: Limits(p99_ms=100, failed_percent=1), kinds.PAGE: Limits(p99_ms=100)})
END = BEGAN + RAMP + LENGTH


def _objectives(found: Facts, *, steps: bool = False) -> dict[str, Objective]:
    return {each.name: each for each in results(found, run(steps=steps), CONNECTS).objectives}


def test_connects_count_while_users_arrive_and_nothing_else_does() -> None:
    """Most of them are made then: without these an objective of them would say nothing."""
    found = facts()
    found.timeline.took(kinds.PAGE, 5.0, BEGAN + 3)
    objectives = _objectives(found)
    assert objectives["connect p99"].measured == pytest.approx(48, rel=0.011)
    assert all(each.kept for each in objectives.values())
    for _ in range(4):
        found.timeline.took(kinds.CONNECT, 3.0, BEGAN + 3)
        found.timeline.failed(kinds.CONNECT, kinds.TIMEOUT, BEGAN + 4)
    objectives = _objectives(found)
    assert [each.kept for each in objectives.values()] == [False, False, True]
    assert results(found, slo=CONNECTS).ending is Ending.BROKEN


def test_what_a_busy_generator_timed_while_users_arrived_counts_for_nothing() -> None:
    """The run is none the worse for it, and says so; also when they arrived in less than five seconds."""
    for seconds in (RAMP, 3):
        found = facts()
        found.phases[0] = Phase("ramp", BEGAN + RAMP - seconds, BEGAN + RAMP, measured=False)
        found.timeline.took(kinds.CONNECT, 30.0, BEGAN + RAMP - 1)
        assert not _objectives(found)["connect p99"].kept
        used = found.generators[0].usage
        found.generators[0].usage = [Usage(e.at, 99.0 if e.at < BEGAN + RAMP else 40.0, 1) for e in used]
        assert _objectives(found)["connect p99"].measured is None
        ended = results(found, slo=CONNECTS)
        assert ended.ending is Ending.PASSED
        assert any(each.startswith("ramp counts for no objective: generator-1 ") for each in ended.warnings)


def test_what_comes_late_counts() -> None:
    """Nothing new is asked for in the end, so what takes long then was asked for while it was measured."""
    found = facts()
    found.phases.append(Phase("closing", END, END + 12.5, measured=False))
    found.timeline.took(kinds.PAGE, 12.0, END + 12)
    assert not _objectives(found)["history page p99"].kept
    assert {each.kind: each.count for each in results(found).figures}[kinds.PAGE] == LENGTH, "it is in no rate"
    found.timeline.failed(kinds.CONNECT, kinds.NOT_BACK, END + 13)
    assert not _objectives(found)["connect failed"].kept


def _stepping(arriving: int) -> Facts:
    """Two steps of half a minute, the second of them after `arriving` seconds of arriving; then an end."""
    found = facts()
    middle = BEGAN + RAMP + LENGTH // 2
    found.phases[1:] = [
        Phase("step 1", BEGAN + RAMP, middle - arriving),
        Phase("step 2, arriving", middle - arriving, middle, measured=False),
        Phase("step 2", middle, END),
        Phase("closing", END, END + 5, measured=False),
    ]
    return found


def test_who_arrives_for_a_step_counts_for_it() -> None:
    """And not for the one before; what comes after the last that held is too much by design."""
    found = _stepping(10)
    assert [each.name for each in counted.before(found.phases, found.phases[3])] == ["step 2, arriving"]
    assert [each.name for each in counted.before(found.phases, found.phases[1])] == ["ramp"]
    assert [each.name for each in counted.after_all(found.phases)] == ["closing"]
    found.timeline.took(kinds.PAGE, 5.0, END + 2)
    found.timeline.took(kinds.CONNECT, 3.0, BEGAN + RAMP + 25)
    ended = results(found, run(steps=True), CONNECTS)
    assert ended.highest is not None
    assert ended.highest.part == "step 1"
    assert "step 2 did not keep connect p99: " in ended.highest.ended_by
    assert ended.ending is Ending.PASSED
    assert "while the users of these arrived" in words.counted(ended)


def test_a_step_in_which_nothing_is_acknowledged_does_not_hold() -> None:
    """Requests that hang fail after the step: until then nothing is too slow."""
    found = _stepping(10)
    for second in range(BEGAN + RAMP + 30, END):
        found.timeline.seconds[second].kinds.clear()
    ended = results(found, run(steps=True), CONNECTS)
    assert ended.highest is not None
    assert ended.highest.part == "step 1"
    assert "not one was" in ended.highest.ended_by
    few = Timeline()
    few.took(kinds.MESSAGE, 0.1, BEGAN)
    assert counted.too_much(CONNECTS, few, (BEGAN + 1, END), []) == []


@pytest.mark.parametrize(("now", "edge"), [(100.0, 100.0), (100.04, 100.0), (100.06, 101.0), (100.99, 101.0)])
def test_a_second_that_has_just_begun_is_one(now: float, edge: float) -> None:
    """Whoever slept until it began is never back before."""
    assert waiting.whole(now) == edge


def test_what_is_measured_begins_with_a_second() -> None:
    """It is waited for; anything else is told as it is."""
    begin = waiting.second(is_whole=True)
    assert begin == int(begin)
    assert 0 <= time.time() - begin < 0.9
    assert abs(waiting.second(is_whole=False) - time.time()) < 0.9
