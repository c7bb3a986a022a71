"""The arithmetic of the benchmark's report."""

import pytest

from loadtests.bench.pace import Latencies
from loadtests.bench.samples import Sample, Samples, Summary

FIGURE = "CPU per delivery, us"


def samples(**by_target: list[float]) -> Samples:
    """One case at 1,000 connections; a value a repeat."""
    return Samples(
        Sample("fanout", 1000, repeat, target, {FIGURE: value})
        for target, values in by_target.items()
        for repeat, value in enumerate(values)
    )


def test_a_summary_has_the_median_and_the_spread() -> None:
    """Of all repeats."""
    assert samples(parley=[3.0, 1.0, 8.0]).summary("fanout", 1000, FIGURE, "parley") == Summary(3.0, 1.0, 8.0)
    assert samples().summary("fanout", 1000, FIGURE, "parley") is None


def test_a_ratio_is_the_median_of_the_ratios_within_a_repeat() -> None:
    """Not the ratio of medians: what slowed one repeat slowed both."""
    found = samples(parley=[1.0, 10.0, 2.0], node=[2.0, 20.0, 3.0])
    assert found.ratio("fanout", 1000, FIGURE, "node", "parley") == Summary(2.0, 1.5, 2.0)
    back = found.ratio("fanout", 1000, FIGURE, "parley", "node")
    assert back is not None
    assert back.median == pytest.approx(0.5)


def test_repeats_that_only_one_of_them_has_do_not_count() -> None:
    """A failed measurement is left out with its counterpart; without any pair there is no ratio."""
    found = samples(parley=[1.0, 1.0])
    found.add(Sample("fanout", 1000, 1, "node", {FIGURE: 4.0}))
    found.add(Sample("fanout", 1000, 0, "node", failure="connections were lost"))
    assert found.ratio("fanout", 1000, FIGURE, "node", "parley") == Summary(4.0, 4.0, 4.0)
    assert found.ratio("fanout", 1000, FIGURE, "nchan", "parley") is None
    assert [each.failure for each in found.failures()] == ["connections were lost"]


def test_growth_compares_numbers_of_connections() -> None:
    """Of the same target, within a repeat."""
    found = samples(parley=[2.0, 4.0, 4.0])
    for repeat, value in enumerate([3.0, 8.0, 4.0]):
        found.add(Sample("fanout", 8000, repeat, "parley", {FIGURE: value}))
    assert found.growth("fanout", FIGURE, "parley", 1000, 8000) == Summary(1.5, 1.0, 2.0)


def test_percentiles_are_those_of_the_sorted_values() -> None:
    """In milliseconds; the highest is the last value."""
    latencies = Latencies([each / 1000 for each in range(1, 1001)])
    assert latencies.percentile_ms(50) == pytest.approx(501)
    assert latencies.percentile_ms(99) == pytest.approx(991)
    assert Latencies([0.25]).percentile_ms(99.9) == 250
