"""The load test as operators run it: it passes on a good run, and does not on a run that lost something."""

from collections.abc import Callable
from pathlib import Path

import pytest

from checker.account import Account
from checker.judge import Kind
from loadtests import kinds
from loadtests.facts import Facts
from tests.support.load_runs import Ended, ended, good, load, started

USERS, SECONDS, ROOMS = 20, 6, 4
MIX = "chat=8,lurker=4,storm=2,dashboard=4,browser=2"


@pytest.fixture(scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One short run of all kinds of users, on a stack of its own."""
    sizes = ["--users", str(USERS), "--seconds", str(SECONDS), "--rooms", str(ROOMS), "--mix", MIX]
    return await load(tmp_path_factory.mktemp("hold") / "report", *sizes)


async def _judged(folder: Path) -> Ended:
    return await ended(await started(str(folder), module="loadtests.verdict"), folder)


def test_a_good_run_ends_with_0_and_a_balanced_account(run: Ended) -> None:
    """Messages were sent, acknowledged, delivered and read back, through both gateways; nothing failed."""
    good(run)
    assert set(run.results.greeted) == {"gateway-1", "gateway-2"}
    assert not run.results.crashes


def test_every_kind_of_user_left_its_figures(run: Ended) -> None:
    """Timed in the phase that is measured; who came before it is in the account all the same."""
    assert run.figures(kinds.MESSAGE).count >= SECONDS
    # 3 of 4 rooms each: most of those in rooms hear a message.
    assert run.figures(kinds.DELIVERY).count > run.figures(kinds.MESSAGE).count * 5
    # Four dashboards, ten events a second from each, heard by the other three or by all.
    assert run.figures(kinds.EVENT).count > SECONDS * 4 * 3
    assert all(not each.failures for each in run.results.figures), run.results.figures
    timeline = Facts.read(run.folder / "facts.msgpack").timeline
    assert {kinds.CONNECT, kinds.CONNECT_UPGRADED, kinds.JOIN} <= set(timeline.kinds())


def test_its_phases_and_processes_are_told(run: Ended) -> None:
    """When users came, when it was measured, and what it cost on both sides."""
    assert [(each.name, each.measured) for each in run.results.parts] == [
        ("ramp", False),
        ("hold", True),
        ("closing", False),
    ]
    hold = run.results.parts[1]
    assert hold.end - hold.begin == pytest.approx(SECONDS, abs=1)
    assert hold.connected > 0
    assert [each.name for each in run.results.gateways] == ["gateway-1", "gateway-2"]
    assert len(run.results.generators) == 1
    assert run.results.settings["mix"] == MIX


def test_the_report_is_there_for_people_and_machines(run: Ended) -> None:
    """And nothing secret is in it: tokens have three parts with dots, and begin like this."""
    files = sorted(each.name for each in run.folder.iterdir())
    assert files == ["facts.msgpack", "known.json", "report.html", "run.json", "summary.md"]
    assert all(b"eyJ" not in each.read_bytes() for each in run.folder.iterdir())
    assert "hold | " in run.output  # a line of progress


def _lose(account: Account) -> None:
    stay = _busy(account)
    stay.received = list(stay.received)[:-1]


def _repeat(account: Account) -> None:
    stay = _busy(account)
    received = list(stay.received)
    stay.received = [*received, received[0]]


def _forget(account: Account) -> None:
    account.history[account.acknowledged[0].room].pop(0)


def _busy(account: Account):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return max((stay for stay in account.stays if stay.lasted), key=lambda stay: len(stay.received))


@pytest.mark.parametrize(
    ("plant", "kind"), [(_lose, Kind.LOST_TAIL), (_repeat, Kind.DUPLICATE), (_forget, Kind.LOST_HEAD)]
)
async def test_a_planted_fault_in_the_facts_ends_with_1(
    run: Ended, tmp_path: Path, plant: Callable[[Account], None], kind: Kind
) -> None:
    """The same judge, on the facts of the same run with one of them changed."""
    facts = Facts.read(run.folder / "facts.msgpack")
    plant(facts.account)
    facts.write(tmp_path / "facts.msgpack")
    (tmp_path / "known.json").write_bytes((run.folder / "known.json").read_bytes())
    judged = await _judged(tmp_path)
    assert judged.code == 1, judged.output
    assert f"1 {kind}" in judged.output


async def test_unchanged_facts_are_judged_the_same_again(run: Ended) -> None:
    """So what the planted faults change is the only difference."""
    judged = await _judged(run.folder)
    assert judged.code == run.code, judged.output
    assert judged.output in run.output
