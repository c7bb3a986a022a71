"""Tallies are scraped as prometheus_client's own counters and histograms are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from runtime.tallies import Tally, TimeTally

BUCKETS = (0.001, 0.01, 0.5, 1.0, 10)

Sample = tuple[str, tuple[tuple[str, str], ...], Any]


def _samples(collector: Collector) -> list[Sample]:
    registry = CollectorRegistry()
    registry.register(collector)
    text = generate_latest(registry).decode()
    return sorted(
        (sample.name, tuple(sorted(sample.labels.items())), pytest.approx(sample.value))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    )


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing made here stays in the registry of the process."""
    monkeypatch.setattr(REGISTRY, "register", lambda _: None)


@pytest.mark.parametrize("counts", [{}, {("join", "ok"): 3}, {("join", "ok"): 1, ('a"\n\\', "é"): 2}], ids=repr)
def test_a_tally_is_a_counter(counts: dict[tuple[str, str], int]) -> None:
    """Whatever its labels say."""
    tally = Tally("t_total", "Some.", ["event", "result"])
    counter = Counter("t_total", "Some.", ["event", "result"], registry=None)
    for labels, count in counts.items():
        tally[labels] += count
        counter.labels(*labels).inc(count)
    assert _samples(tally) == _samples(counter)


def test_without_labels_it_is_there_from_the_start() -> None:
    """A rate over something that has never happened is 0, not nothing."""
    assert _samples(Tally("t_total", "Some.")) == _samples(Counter("t_total", "Some.", registry=None))
    tally = TimeTally("t_seconds", "Some.", buckets=BUCKETS)
    assert _samples(tally) == _samples(Histogram("t_seconds", "Some.", buckets=BUCKETS, registry=None))


@given(st.lists(st.tuples(st.sampled_from(["ok", "failed"]), st.floats(0, 20) | st.sampled_from(BUCKETS))))
def test_a_time_tally_is_a_histogram(observed: list[tuple[str, float]]) -> None:
    """A value at the bound of a bucket is in it, and one above all bounds is counted too."""
    tally = TimeTally("t_seconds", "Some.", ["result"], buckets=BUCKETS)
    histogram = Histogram("t_seconds", "Some.", ["result"], buckets=BUCKETS, registry=None)
    for result, seconds in observed:
        tally[result,].observe(seconds)
        histogram.labels(result).observe(seconds)
    assert _samples(tally) == _samples(histogram)
