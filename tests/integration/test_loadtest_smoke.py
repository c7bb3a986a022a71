"""The smoke test of the load test: `make loadtest-smoke`."""

from pathlib import Path

from tests.support.load_runs import balanced, ended, shown, started

SMOKE = ("--users", "200", "--seconds", "20")


async def test_200_users_for_20_seconds_and_all_accounts_are_balanced(tmp_path: Path) -> None:
    """With the usual mix and thoughts; the SLO is kept, or at least nothing is lost where cores are short."""
    folder = tmp_path / "report"
    run = await ended(await started(*SMOKE, "--out", str(folder)), folder)
    balanced(run.results)
    assert run.code == 0, shown(run)
