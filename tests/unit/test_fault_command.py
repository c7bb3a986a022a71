"""`make faults` when a fault cannot happen at all: it is bad, and the others still run."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.suite import privileges
from tests.faults.suite.arena import Arena
from tests.faults.suite.catalogue import FAULTS
from tests.faults.suite.command import main
from tests.faults.suite.fault import Blow, Fault


@asynccontextmanager
async def no_ground(_environ: Mapping[str, str]) -> AsyncIterator[Arena]:
    """Nothing to stand on."""
    raise OSError("no room for it")
    yield


async def nothing(_blow: Blow) -> None:
    """Never called."""


@pytest.fixture
def _two_without_ground(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("one", "two"):
        monkeypatch.setitem(FAULTS, name, Fault(name, no_ground, needs_root=False, strike=nothing))


@pytest.mark.usefixtures("_two_without_ground")
def test_a_ground_that_cannot_be_made_is_bad_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Each is told of, with what went wrong, and what there is of it is kept."""
    monkeypatch.setattr(privileges, "lacking", lambda _fault: "")
    assert main(["--faults", "one,two", "--seed", "7"]) == 1
    told = capsys.readouterr().out
    assert told.count("BAD") == told.count("OSError: no room for it") == 2
    assert "BROKEN: 2 of 2 runs" in told
    assert len(list(tmp_path.glob("parley-*-7-*/account.json"))) == 2


@pytest.mark.usefixtures("_two_without_ground")
def test_what_was_skipped_is_named_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code says so, too."""
    monkeypatch.setattr(privileges, "lacking", lambda _fault: "needs a moon")
    assert main(["--faults", "one,two"]) == 1
    told = capsys.readouterr().out
    assert told.count("SKIPPED: needs a moon") == 2
    assert "NOT shown: one, two" in told
