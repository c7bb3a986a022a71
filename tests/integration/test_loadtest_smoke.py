"""The smoke test of the load test: `make loadtest-smoke`."""

from pathlib import Path

from tests.support.load_runs import ended, good, started

SMOKE = ("--users", "200", "--seconds", "20", "--slo", "loadtests/slo-smoke.yaml")


async def test_200_users_for_20_seconds_and_all_accounts_are_balanced(tmp_path: Path) -> None:
    """With the usual mix and thoughts. Nothing fails and nothing is lost, also where cores are short."""
    folder = tmp_path / "report"
    good(await ended(await started(*SMOKE, "--out", str(folder)), folder))
