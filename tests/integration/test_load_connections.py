"""Many connections, held as operators hold them: all are accounted for, and what is missing is seen."""

from pathlib import Path

import pytest

from checker.judge import Kind
from deploy.local import haproxy
from loadtests import kinds
from loadtests.connections.run import main
from loadtests.facts import Facts
from tests.support.holding import CONNECTIONS, HAPROXY, held
from tests.support.load_runs import Ended, ended, good, started

FOUR = {f"gateway-{number}" for number in range(1, 5)}


@pytest.fixture(scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A short run, on a stack of its own."""
    return await held(tmp_path_factory.mktemp("held") / "report", "--seconds", "5")


@HAPROXY
async def test_connections_are_held_through_all_gateways_and_every_account_is_balanced(run: Ended) -> None:
    """As many as were asked for, and as many messages: each to all ten members of its room."""
    good(run)
    results = run.results
    assert set(results.greeted) == FOUR
    assert sum(results.greeted.values()) == results.counts.stays == CONNECTIONS
    assert results.counts.expected == 10 * results.counts.acknowledged
    hold = next(each for each in results.parts if each.name == "hold")
    assert (hold.connected, hold.drops) == (CONNECTIONS, 0)
    assert hold.end - hold.begin == pytest.approx(5, abs=0.01)
    # Open loop: what is due is sent, whatever the machine is like.
    assert results.counts.sent == pytest.approx(5 * 50, abs=50 * 0.5)
    assert run.figures(kinds.DELIVERY).count == pytest.approx(10 * run.figures(kinds.MESSAGE).count, rel=0.05)
    assert {each.name for each in results.gateways} == FOUR
    assert {"haproxy-1", "nats", "mongo"} <= {each.name for each in results.beside}
    assert [each.name for each in results.generators] == ["holder-1"]


@HAPROXY
async def test_a_planted_loss_is_seen(run: Ended, tmp_path: Path) -> None:
    """One delivery of thousands is taken out of what was written down: the run is judged otherwise."""
    facts = Facts.read(run.folder / "facts.msgpack")
    for name in ("known.json", "run.json"):
        (tmp_path / name).write_bytes((run.folder / name).read_bytes())
    stay = next(each for each in facts.account.stays if len(each.received) > 2)
    places = list(stay.received)
    stay.received = places[:1] + places[2:]
    facts.write(tmp_path / "facts.msgpack")
    judged = await ended(await started(str(tmp_path), module="loadtests.verdict"), tmp_path)
    assert judged.code == 1
    assert Kind.LOST_MIDDLE in judged.output


def test_without_haproxy_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And does nothing."""
    monkeypatch.setattr(haproxy, "_WHERE", str(tmp_path))
    assert main(["--connections", "10", "--out", str(tmp_path / "report")]) == 2
    assert "apt-get install haproxy" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
