"""The shapes of a load test that need a stack of their own, or that others share."""

from pathlib import Path

import pytest

from loadtests import kinds
from tests.support.load_runs import Ended, balanced, good, load, shown


def _phases(run: Ended) -> list[str]:
    return [each.name for each in run.results.parts if each.measured]


async def test_a_rolling_restart_of_the_gateways_loses_nothing(tmp_path: Path) -> None:
    """Each in turn is ended, drains, and is started again, while everybody chats: cut off, and told the rest."""
    run = await load(tmp_path / "report", "--shape", "rolling", "--users", "20", "--seconds", "4", "--rooms", "4")
    good(run)
    assert _phases(run) == ["before", "rolling restart", "after"]
    told = [text for _, text in run.results.moments]
    for name in ("gateway-1", "gateway-2"):
        assert any(text.startswith(f"{name}: ended in ") for text in told), told
    assert sum(part.drops for part in run.results.parts) > 0
    assert run.figures(kinds.RESUME).count > 0
    assert run.figures(kinds.RECONNECT).count > 0


async def test_a_storm_over_two_processes_is_over_when_all_are_back(watched: list[str], tmp_path: Path) -> None:
    """Every connection of both workers is cut off at once; both play, and their rooms are the same."""
    sizes = ["--users", "16", "--seconds", "4", "--rooms", "4", "--processes", "2", "--mix", "chat=3,lurker=1"]
    run = await load(tmp_path / "report", *watched, "--shape", "storm", *sizes)
    good(run)
    assert _phases(run) == ["before", "storm", "after"]
    assert any(text.startswith("all are connected again") for _, text in run.results.moments)
    # Who is connected again may join its rooms when the phase is over.
    back = [part for part in run.results.parts if part.name in {"storm", "after", "closing"}]
    assert sum(each.count for part in back for each in part.figures if each.kind == kinds.RECONNECT) >= 16, back
    assert len(run.results.generators) == 2
    assert len(run.results.gateways) == 2


async def test_steps_find_the_highest_that_holds(watched: list[str], tmp_path: Path) -> None:
    """Nothing is too much here, so it is the last; and the report does not say that it is the limit."""
    sizes = ["--users", "12", "--seconds", "4", "--steps", "2", "--rooms", "3", "--mix", "chat=1"]
    run = await load(tmp_path / "report", *watched, "--shape", "step", *sizes)
    good(run)
    assert _phases(run) == ["step 1: 6 users", "step 2: 12 users"]
    assert run.results.highest is not None
    assert run.results.highest.part == "step 2: 12 users"
    assert run.results.highest.messages_per_second > 1
    for each in run.results.parts:
        if each.measured:
            assert each.end - each.begin == pytest.approx(round(each.end - each.begin)), "whole seconds, as counted"


async def test_steps_end_with_the_one_that_is_too_much(watched: list[str], tmp_path: Path) -> None:
    """An objective that no step can keep: the first is the last, none is the highest, and the exit code says so."""
    slo = tmp_path / "slo.yaml"
    slo.write_text(f"requests:\n  {kinds.MESSAGE}: {{p50_ms: 0.001}}\n")
    sizes = ["--users", "12", "--seconds", "4", "--steps", "2", "--rooms", "3", "--mix", "chat=1"]
    run = await load(tmp_path / "report", *watched, "--shape", "step", "--slo", str(slo), *sizes)
    assert run.code == 1, shown(run)
    balanced(run.results)
    assert _phases(run) == ["step 1: 6 users"]
    assert run.results.highest is not None
    assert run.results.highest.part is None
