"""The smoke test of the load test: `make loadtest-smoke`."""

from pathlib import Path

from loadtests.report.results import Ending
from tests.support.load_runs import balanced, ended, shown, started

SMOKE = ("--users", "200", "--seconds", "20", "--slo", "loadtests/slo-smoke.yaml")
_OF_A_BUSY_MACHINE = ("of a core for", "of a core in", " was late by ", " stood still for ")
"""The words of `validity`: other tests run at the same time."""


async def test_200_users_for_20_seconds_and_all_accounts_are_balanced(tmp_path: Path) -> None:
    """With the usual mix and thoughts. Nothing fails and nothing is lost, also where cores are short."""
    folder = tmp_path / "report"
    run = await ended(await started(*SMOKE, "--out", str(folder)), folder)
    balanced(run.results)
    assert run.results.ending != Ending.BROKEN, shown(run)
    strange = [each for each in run.results.invalid if not any(words in each for words in _OF_A_BUSY_MACHINE)]
    assert not strange, shown(run)
    assert run.code == run.results.ending.exit_code
