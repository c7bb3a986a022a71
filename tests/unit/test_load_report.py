"""What a run comes to in numbers: exact figures from known facts."""

import msgspec
import pytest

from loadtests import kinds
from tests.support.load_facts import BEGAN, LENGTH, RAMP, USERS, facts, results


def test_figures_are_those_of_the_measured_phases() -> None:
    """60 s with 4 messages and 12 deliveries each; users arrived before."""
    found = results(facts())
    by_kind = {each.kind: each for each in found.figures}
    message = by_kind[kinds.MESSAGE]
    assert (message.count, message.failures, message.per_second) == (4 * LENGTH, {}, 4.0)
    assert message.p50 == pytest.approx(20, rel=0.011)
    assert message.p99 == pytest.approx(60, rel=0.03)
    assert by_kind[kinds.DELIVERY].count == 12 * LENGTH
    assert by_kind[kinds.TYPING].failures == {kinds.TIMEOUT: 1}
    assert kinds.CONNECT not in by_kind
    assert [each.kind for each in found.figures] == sorted(by_kind, key=kinds.KINDS.index)
    ramp, hold = found.parts
    assert [(each.kind, each.count) for each in ramp.figures] == [(kinds.CONNECT, USERS)]
    assert (ramp.begin, ramp.end, hold.begin, hold.end) == (0, RAMP, RAMP, RAMP + LENGTH)
    assert (hold.connected, hold.drops, hold.deliveries_per_second) == (USERS, 1, 12.0)
    assert (found.seconds, found.began) == (RAMP + LENGTH, "2026-09-21T14:13:20Z")


def test_a_phase_that_begins_within_a_second_has_the_rest_of_it() -> None:
    """No second of a run is in no phase, or in two."""
    found = facts()
    found.phases = [
        msgspec.structs.replace(each, begin=each.begin + 0.6, end=each.end + 0.6) for each in found.phases
    ]
    ramp, hold = results(found).parts
    assert sum(each.count for each in ramp.figures if each.kind == kinds.CONNECT) == USERS
    messages = [sum(each.count for each in part.figures if each.kind == kinds.MESSAGE) for part in (ramp, hold)]
    assert messages == [4, 4 * LENGTH - 4]


def test_counts_are_the_accounts() -> None:
    """Twenty messages, three readers."""
    counts = results(facts()).counts
    assert (counts.sent, counts.acknowledged, counts.refused, counts.unconfirmed) == (20, 20, 0, 0)
    assert (counts.expected, counts.received, counts.lost, counts.duplicates, counts.out_of_order) == (
        60,
        60,
        0,
        0,
        0,
    )
    assert (counts.stays, counts.cut_off, counts.other, counts.first) == (3, 0, {}, [])


def test_series_have_every_second() -> None:
    """Also those in which nothing happened."""
    found = facts()
    del found.timeline.seconds[BEGAN + 20]
    series = results(found).series
    assert series.seconds == list(range(RAMP + LENGTH))
    assert series.rates[kinds.MESSAGE][18:23] == [4, 4, 0, 4, 4]
    assert series.p99[kinds.MESSAGE][20] is None
    assert series.connected[18:23] == [USERS] * 5, "nobody said otherwise in that second"
    assert series.drops[30] == series.failures[30] == sum(series.drops) == 1


def test_long_runs_are_thinned_and_their_worst_stays() -> None:
    """Two hours: four seconds a point. A single slow second is still there, and so is every drop."""
    found = facts()
    end = BEGAN + 7200
    found.phases[1] = msgspec.structs.replace(found.phases[1], end=float(end))
    found.timeline.took(kinds.MESSAGE, 3.0, BEGAN + 5001)
    found.timeline.took(kinds.MESSAGE, 0.01, BEGAN + 5002)
    found.timeline.count(kinds.DROPS, BEGAN + 5002, 2)
    found.timeline.took(kinds.MESSAGE, 0.01, end - 1)
    series = results(found).series
    assert (series.span, len(series.seconds)) == (4, 1800)
    point = series.seconds.index(5000)
    assert series.p99[kinds.MESSAGE][point] == pytest.approx(3000, rel=0.011)
    assert series.rates[kinds.MESSAGE][point] == 0.5
    assert series.drops[point] == 2
    assert sum(series.drops) == 3
