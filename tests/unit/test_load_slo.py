"""SLO files, and whether what was measured keeps to them."""

from pathlib import Path

import pytest

from loadtests import kinds
from loadtests.slo import DEFAULT, Limits, Slo, SloError, said
from loadtests.timeline import Timeline


def _read(folder: Path, text: str) -> Slo:
    path = folder / "mine.yaml"
    path.write_text(text)
    return Slo.read(path)


def _timeline(**took: float) -> Timeline:
    """A hundred messages a second from 100 to 109, and one failure for each ten of them."""
    timeline = Timeline()
    for second in range(100, 110):
        for number in range(100):
            timeline.took(kinds.MESSAGE, took["slow"] if number >= 90 else 0.01, second)
        for _ in range(10):
            timeline.failed(kinds.MESSAGE, kinds.TIMEOUT, second)
    return timeline


def test_the_default_is_whole() -> None:
    """All kinds that the users make are held to something; only known ones are, or it could not be read."""
    slo = Slo.read(DEFAULT)
    assert set(slo.requests) == set(kinds.KINDS)
    assert slo.drops_per_minute == 0
    assert Slo.read(DEFAULT.with_name("slo-disturbed.yaml")).drops_per_minute is None


def test_all_limits_are_read(tmp_path: Path) -> None:
    """Whole numbers and fractions; a kind with nothing but one limit."""
    text = "requests:\n  message: {p50_ms: 5, p95_ms: 7.5, p99_ms: 10, failed_percent: 0}\n  join: {p99_ms: 1}\n"
    slo = _read(tmp_path, text + "drops_per_minute: 2\n")
    assert slo == Slo({"message": Limits(5, 7.5, 10, 0), "join": Limits(p99_ms=1)}, 2)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("requests: {mesage: {p99_ms: 1}}", "requests: 'mesage' is not known; allowed are 'connect', "),
        (
            "requests: {message: {p98_ms: 1}}",
            "requests: message: 'p98_ms' is not known; allowed are 'p50_ms', 'p95_ms'",
        ),
        ("requests: {message: {p99_ms: fast}}", "requests: message: p99_ms: 'fast' does not fit"),
        ("requests: {message: {p99_ms: true}}", "requests: message: p99_ms: True does not fit"),
        ("requests: {message: {p99_ms: 0}}", "requests: message: p99_ms: 0 does not fit"),
        ("requests: {message: {p99_ms: .nan}}", "p99_ms"),
        ("requests: {message: {failed_percent: 101}}", "failed_percent: 101 does not fit"),
        ("requests: {message: 500}", "requests: message: this is to have keys"),
        ("drops_per_minute: -1", "drops_per_minute: -1 does not fit"),
        ("drops: 1", "'drops' is not known; allowed are 'requests', 'drops_per_minute'"),
        ("requests: {message: {}}", "no objective is in it"),
        ("", "this is to have keys"),
        ("requests: {message", "this is no YAML"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_a_line(tmp_path: Path, text: str, told: str) -> None:
    """The file, the key, and what is allowed there."""
    with pytest.raises(SloError) as error:
        _read(tmp_path, text)
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'mine.yaml'}: ")
    assert told in message
    assert "\n" not in message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(SloError, match=r"none\.yaml: No such file"):
        Slo.read(tmp_path / "none.yaml")


def test_percentiles_and_failures_are_compared() -> None:
    """A tenth took 0.3 s, and of 110 requests ten failed: 9.09 %."""
    slo = Slo({kinds.MESSAGE: Limits(p50_ms=20, p95_ms=200, p99_ms=400, failed_percent=9)})
    found = {each.name: each for each in slo.objectives(_timeline(slow=0.3), [(100, 110)])}
    assert [each.kept for each in found.values()] == [True, False, True, False]
    assert found["message p95"].measured == pytest.approx(300, rel=0.011)
    assert found["message failed"].measured == pytest.approx(100 * 10 / 110)
    assert slo.broken(_timeline(slow=0.3), 100, 110) == [said(found["message p95"]), said(found["message failed"])]
    assert said(found["message failed"]) == "message failed: 9.09 %, and 9 % is the most allowed"
    assert not slo.broken(_timeline(slow=0.3), 110, 120), "nothing is measured there"


def test_only_what_lies_in_the_spans_counts() -> None:
    """Slow ones between them are nobody's."""
    timeline = Timeline()
    for second in range(100, 130):
        timeline.took(kinds.MESSAGE, 5.0 if 110 <= second < 120 else 0.01, second)
    slo = Slo({kinds.MESSAGE: Limits(p99_ms=50)})
    assert [each.kept for each in slo.objectives(timeline, [(100, 110), (120, 130)])] == [True]
    assert [each.kept for each in slo.objectives(timeline, [(100, 110), (119, 130)])] == [False]


def test_what_never_happened_is_not_tested_and_what_never_succeeded_is_not_kept() -> None:
    """Failures alone have no percentile, and must not pass for want of one."""
    slo = Slo({kinds.JOIN: Limits(p99_ms=50, failed_percent=100)})
    timeline = Timeline()
    assert all(each.kept and each.measured is None for each in slo.objectives(timeline, [(0, 1)]))
    timeline.failed(kinds.JOIN, kinds.TIMEOUT, 0)
    join, failed = slo.objectives(timeline, [(0, 1)])
    assert (join.kept, join.measured) == (False, None)
    assert (failed.kept, failed.measured) == (True, 100.0)
    assert "not one succeeded" in said(join)


def test_drops_are_counted_a_minute() -> None:
    """Three in half a minute are six."""
    timeline = Timeline()
    timeline.count(kinds.DROPS, 110, 3)
    [drops] = Slo(drops_per_minute=5).objectives(timeline, [(100, 130)])
    assert (drops.measured, drops.kept) == (6.0, False)
    assert Slo(drops_per_minute=6).broken(timeline, 100, 130) == []
