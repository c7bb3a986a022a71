"""How a run ends: passed, broken, or not valid; and the highest step."""

from collections.abc import Callable
from pathlib import Path

import pytest

from checker.account import Account
from checker.judge import Kind
from loadtests import kinds
from loadtests.report import words
from loadtests.report.conclude import ReportError, _write
from loadtests.report.ending import UNSETTLED
from loadtests.report.markdown import summary
from loadtests.report.results import Ending
from loadtests.report.text import text
from loadtests.slo import Limits, Slo
from tests.support.load_facts import BEGAN, LENGTH, LENIENT, RAMP, USERS, facts, results, run, usage


def test_a_run_that_kept_everything_passes() -> None:
    """With 0."""
    found = results(facts())
    assert (found.ending, found.ending.exit_code, found.reasons) == (Ending.PASSED, 0, [])
    assert words.sentence(found).startswith("Every acknowledged message reached every member exactly once")


def _lose(found: Account) -> None:
    found.stays[1].received = [each for each in found.stays[1].received if each.seq != 7]


def _repeat(found: Account) -> None:
    found.stays[1].received = [*found.stays[1].received, found.stays[1].received[-1]]


def _forget(found: Account) -> None:
    found.history["room <1>"].pop(0)


@pytest.mark.parametrize(
    ("plant", "kind", "counted"),
    [
        (_lose, Kind.LOST_MIDDLE, (1, 0)),
        (_repeat, Kind.DUPLICATE, (0, 1)),
        (_forget, Kind.LOST_HEAD, (1, 0)),
    ],
)
@pytest.mark.parametrize("cpu", [40.0, 97.0])
def test_a_planted_fault_breaks_a_run_valid_or_not(
    plant: Callable[[Account], None], kind: Kind, counted: tuple[int, int], cpu: float
) -> None:
    """With 1; the report names the message, and what else was the matter."""
    broken = facts(cpu=cpu)
    plant(broken.account)
    found = results(broken)
    assert (found.ending, found.ending.exit_code) == (Ending.BROKEN, 1)
    assert (found.counts.lost, found.counts.duplicates) == counted
    assert str(kind) in found.reasons[0]
    assert bool(found.invalid) == (cpu > 90)
    assert not words.account_holds(found.counts)
    for report in (summary(found), text(found)):
        assert "BROKEN" in report
        assert "The promise was not kept" in report
        assert "xit code 1" in report, "make tells none but its own"
        assert str(kind) in report


def test_a_broken_objective_breaks_a_valid_run() -> None:
    """With 1, and with what was measured; nothing was lost, and that is said."""
    found = results(facts(), slo=Slo({kinds.MESSAGE: Limits(p99_ms=50)}))
    assert (found.ending, found.ending.exit_code) == (Ending.BROKEN, 1)
    [reason] = found.reasons
    assert reason.startswith("message p99: ")
    assert found.parts[1].broken == found.reasons
    assert words.sentence(found).endswith("exactly once and in order, but 1 of 1 objectives was not kept.")


def test_a_generator_at_its_limit_makes_a_run_not_valid() -> None:
    """With 3, also when an objective was broken: that says nothing of the system."""
    found = results(facts(cpu=97), slo=Slo({kinds.MESSAGE: Limits(p99_ms=50)}))
    assert (found.ending, found.ending.exit_code) == (Ending.INVALID, 3)
    assert "more than 90 %" in found.reasons[0]


def test_a_run_that_never_settled_does_not_pass() -> None:
    """Who was away is owed nothing, so nothing shows that it would have come; a run by steps is not held to it."""
    unsettled = facts()
    unsettled.settled = False
    found = results(unsettled)
    assert (found.ending, found.reasons) == (Ending.BROKEN, [UNSETTLED])
    assert words.sentence(found).endswith(f"exactly once and in order, but {UNSETTLED}.")
    steps = facts(names=["step 1", "step 2"])
    steps.settled = False
    assert results(steps, run(steps=True)).ending is Ending.PASSED
    busy = facts(cpu=97)
    busy.settled = False
    assert results(busy).ending is Ending.INVALID


def test_a_crash_of_the_load_test_makes_a_run_not_valid() -> None:
    """With 3, and with what crashed."""
    crashed = facts()
    crashed.crashes = ["KeyError: 'x'"]
    found = results(crashed)
    assert found.ending is Ending.INVALID
    assert any("KeyError" in each for each in found.reasons)
    assert "KeyError" in text(found)


def test_a_system_that_acknowledges_nothing_does_not_pass() -> None:
    """Nor one in which nobody stayed to see what came."""
    refused = facts()
    refused.account = Account(refused=5)
    found = results(refused)
    assert (found.ending, found.reasons) == (Ending.BROKEN, ["5 messages were sent, and none was acknowledged"])
    gone = facts()
    for stay in gone.account.stays:
        stay.lasted = False
    assert results(gone).ending is Ending.BROKEN


@pytest.mark.parametrize("cpu", [40.0, 97.0])
def test_a_system_of_which_a_process_ended_by_itself_is_broken(cpu: float) -> None:
    """Valid or not, and whatever its objectives; the report says which and how, and not that something was lost."""
    fallen = facts(cpu=cpu)
    fallen.fallen = ["gateway-1 was killed by signal 9"]
    found = results(fallen)
    assert (found.ending, found.reasons[0]) == (Ending.BROKEN, "gateway-1 was killed by signal 9")
    assert words.sentence(found).endswith("exactly once and in order, but gateway-1 was killed by signal 9.")


@pytest.mark.parametrize(("plant", "code"), [(lambda _: None, 2), (_lose, 1)])
def test_without_a_place_for_the_report_the_verdict_is_told(
    plant: Callable[[Account], None], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A loss is one all the same; and what would have passed does not."""
    found, known, file = facts(), run(), tmp_path / "file"
    known.slo = LENIENT
    plant(found.account)
    file.touch()
    with pytest.raises(ReportError, match="no whole report") as failed:
        _write(found, known, file / "report")
    assert failed.value.exit_code == code
    assert words.TITLES[results(found).ending] in capsys.readouterr().out


def test_steps_find_the_highest_that_held() -> None:
    """The third is ten times as slow: it ends the run, and does not break it."""
    found = results(facts(names=["step 1", "step 2", "step 3"]), run(steps=True))
    assert found.ending is Ending.PASSED
    assert found.highest is not None
    assert found.highest.part == "step 2"
    assert (found.highest.messages_per_second, found.highest.deliveries_per_second) == (4.0, 12.0)
    assert found.highest.connected == USERS
    assert found.highest.ended_by.startswith("step 3 did not keep message p99: ")
    assert next(each.count for each in found.figures if each.kind == kinds.MESSAGE) == 2 * 4 * LENGTH / 3
    assert "Highest load within the objectives: step 2" in text(found)


def test_steps_that_the_generator_ended_say_so() -> None:
    """The run is valid up to there; the system may do more."""
    busy = facts(names=["step 1", "step 2", "step 3"])
    third = BEGAN + RAMP + 2 * LENGTH / 3
    calm, hot = usage(40, 300), usage(97, 300)
    busy.generators[0].usage = [b if b.at >= third else a for a, b in zip(calm, hot, strict=True)]
    found = results(busy, run(steps=True), slo=Slo({kinds.MESSAGE: Limits(p99_ms=5000)}))
    assert found.highest is not None
    assert found.highest.part == "step 2"
    assert "the generator ended it at 9" in found.highest.ended_by
    assert found.highest.ended_by.endswith("the system may do more")
    assert (found.ending, found.invalid) == (Ending.PASSED, [])


def test_steps_of_which_none_held_are_broken_and_all_that_held_are_the_last() -> None:
    """Neither has an end that was found: both say so."""
    steps = facts(names=["step 1", "step 2"])
    none = results(steps, run(steps=True), slo=Slo({kinds.MESSAGE: Limits(p99_ms=5)}))
    assert none.highest is not None
    assert (none.highest.part, none.ending) == (None, Ending.BROKEN)
    assert "not even the first step held" in none.reasons[0]
    every = results(steps, run(steps=True), slo=Slo({kinds.MESSAGE: Limits(p99_ms=5000)}))
    assert every.highest is not None
    assert (every.highest.part, every.ending) == ("step 2", Ending.PASSED)
    assert every.highest.ended_by == "the last step held, too: the system may do more"
