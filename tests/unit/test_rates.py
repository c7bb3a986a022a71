"""The rate: a burst at once, then so many a second, whatever the pattern."""

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.edge.rates import Rate

SLACK = 1e-3
PER_SECOND = st.floats(0.1, 10_000)
BURST = st.integers(1, 1000)
START = st.floats(0, 1e8)
GAPS = st.lists(st.floats(0, 5), max_size=200)


def rate(per_second: float, burst: int) -> Rate:
    """One that is a limit."""
    made = Rate.of(per_second, burst)
    assert made is not None
    return made


def test_a_rate_of_nothing_is_no_limit() -> None:
    """0 lifts it."""
    assert Rate.of(0, 100) is None


@given(PER_SECOND, BURST, START)
def test_a_bucket_that_nobody_used_takes_a_burst_and_no_more(per_second: float, burst: int, now: float) -> None:
    """At one moment; one more would be taken after one interval, as it says."""
    of, bucket = rate(per_second, burst), 0.0
    for _ in range(burst):
        taken = of.take(bucket, now)
        assert taken is not None
        bucket = taken
    if 1 / per_second > SLACK:
        assert of.take(bucket, now) is None
        assert 0 < of.wait(bucket, now) <= 1 / per_second + SLACK


@given(PER_SECOND, BURST, START, GAPS)
def test_in_any_time_no_more_than_a_burst_and_what_the_rate_allows(
    per_second: float, burst: int, start: float, gaps: list[float]
) -> None:
    """However those who ask are spread; counted from each that was taken."""
    of, bucket, now = rate(per_second, burst), 0.0, start
    taken: list[float] = []
    for gap in gaps:
        now += gap
        after = of.take(bucket, now)
        if after is not None:
            bucket = after
            taken.append(now)
    for index, since in enumerate(taken):
        for count, until in enumerate(taken[index:], start=1):
            assert count <= burst + (until - since + SLACK) * per_second + 1e-6 * per_second


@given(PER_SECOND, BURST, START, GAPS)
def test_whoever_waits_as_told_is_taken(per_second: float, burst: int, start: float, gaps: list[float]) -> None:
    """Not later than told, and what was refused took nothing: the wait is the same however often one asks."""
    of, bucket, now = rate(per_second, burst), 0.0, start
    for gap in gaps:
        now += gap
        after = of.take(bucket, now)
        if after is None:
            wait = of.wait(bucket, now)
            assert wait > 0
            assert of.take(bucket, now) is None
            assert of.wait(bucket, now) == wait
            after = of.take(bucket, now + wait)
            assert after is not None
            now += wait
        else:
            assert of.wait(bucket, now) <= 2e-4
        bucket = after


@given(PER_SECOND, BURST, START)
def test_a_pause_fills_it_up_again_and_no_further(per_second: float, burst: int, now: float) -> None:
    """After an hour it is as if nobody had used it."""
    of, bucket = rate(per_second, burst), 0.0
    while (taken := of.take(bucket, now)) is not None:
        bucket = taken
    now += burst / per_second + 3600
    for _ in range(burst):
        taken = of.take(bucket, now)
        assert taken is not None
        bucket = taken
    if 1 / per_second > SLACK:
        assert of.take(bucket, now) is None
