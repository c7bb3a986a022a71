"""The load test as operators run it: it passes on a good run, and does not on a run that lost something."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from checker.account import Account, Place
from checker.judge import Kind
from deploy.local.stack import ROOT
from loadtests.record import Record

USERS, SECONDS, ROOMS = 20, 6, 4
_TIMEOUT = 150


@dataclass
class Run:
    """A finished run."""

    code: int
    output: str
    record: Path

    def count(self, request: str) -> tuple[int, int]:
        """How many requests of a kind the table tells of, and how many of them failed."""
        row = re.search(rf"^{re.escape(request)} +(\d+) +(\d+)", self.output, re.MULTILINE)
        assert row, f"no row {request!r} in\n{self.output}"
        return int(row[1]), int(row[2])


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One short run on a stack of its own."""
    record = tmp_path_factory.mktemp("loadtest") / "record.json"
    sizes = ["--users", str(USERS), "--seconds", str(SECONDS), "--rooms", str(ROOMS)]
    done = _python("loadtests", *sizes, "--record", str(record))
    return Run(done.returncode, done.stdout + done.stderr, record)


def test_a_good_run_ends_with_0_and_real_numbers(run: Run) -> None:
    """Every user connected, through both gateways; messages were sent, acknowledged, delivered and read back."""
    assert run.code == 0, run.output
    assert run.count("connect") == (USERS, 0)
    assert f"connections: gateway-1 {USERS // 2}, gateway-2 {USERS // 2}" in run.output
    assert run.count("join") == (USERS * 3, 0)
    sent, failed = run.count("message")
    assert sent >= USERS / 2, run.output
    assert failed == 0, run.output
    # 3 of 4 rooms each: about 15 of the 20 hear a message.
    deliveries, _ = run.count("message, end to end")
    assert deliveries > sent * 5
    assert run.count("history page, HTTP")[0] >= ROOMS
    assert (
        f"account: {sent} messages sent: {sent} acknowledged, 0 refused, 0 of unknown outcome\n"
        f"deliveries: {deliveries} owed, {deliveries} received in {USERS * 3} stays" in run.output
    )
    account = Record.read(run.record).account
    assert len(account.acknowledged) == sent
    assert sum(map(len, account.history.values())) == sent


def _lose(account: Account) -> None:
    _busy(account).pop()


def _repeat(account: Account) -> None:
    received = _busy(account)
    received.append(received[0])


def _forget(account: Account) -> None:
    account.history[account.acknowledged[0].room].pop(0)


def _send_nothing(account: Account) -> None:
    account.acknowledged.clear()
    account.history.clear()
    for stay in account.stays:
        stay.received = []


def _busy(account: Account) -> list[Place]:
    """What the busiest reader received, as a list that can be changed."""
    stay = max(account.stays, key=lambda each: len(each.received))
    changed = stay.received = list(stay.received)
    return changed


@pytest.mark.parametrize(
    ("plant", "told"),
    [
        (_lose, f"BROKEN: 1 {Kind.LOST_TAIL}"),
        (_repeat, f"BROKEN: 1 {Kind.DUPLICATE}"),
        (_forget, f"1 {Kind.LOST_HEAD}"),
        (_send_nothing, "NOTHING SHOWN"),
    ],
)
def test_a_planted_fault_in_the_record_ends_with_1(
    run: Run, tmp_path: Path, plant: Callable[[Account], None], told: str
) -> None:
    """The same judge, on the facts of the same run with one of them changed."""
    record = Record.read(run.record)
    plant(record.account)
    changed = tmp_path / "changed.json"
    record.write(changed)
    done = _python("loadtests.record", str(changed))
    assert done.returncode == 1, done.stdout
    assert told in done.stdout


def test_an_unchanged_record_is_judged_the_same_again(run: Run) -> None:
    """So what the planted faults change is the only difference."""
    done = _python("loadtests.record", str(run.record))
    assert done.returncode == 0, done.stdout
    assert done.stdout in run.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--users", "0"],
        ["--users", "100000"],
        ["--seconds", "1e9"],
        ["--url", "http://localhost:1"],
        ["--tokens", "x"],
    ],
)
def test_what_cannot_be_run_ends_with_2(arguments: list[str]) -> None:
    """Bounded in users and time; a running deployment needs its own tokens."""
    assert _python("loadtests", *arguments).returncode == 2
