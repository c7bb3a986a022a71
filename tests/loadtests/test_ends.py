"""How a load test ends that is not good: with which exit code, and that it ends."""

import signal
import sys
from pathlib import Path

import psutil
import pytest

from deploy.local.ports import Ports, spare
from loadtests import kinds
from loadtests.facts import Facts
from tests.support.load_runs import QUICK, balanced, ended, good, load, says, shown, started
from tests.support.waiting import until

SIZES = ("--users", "12", "--rooms", "3", "--mix", "chat=2,lurker=1")


async def test_a_hook_that_fails_ends_with_3(there: list[str], tmp_path: Path) -> None:
    """What it said is in the report, and what was seen is judged."""
    hook = ["--shape", "rolling", "--hook", "echo nobody is there; exit 4"]
    run = await load(tmp_path / "report", *there, *SIZES, "--seconds", "2", *hook)
    assert run.code == 3, shown(run)
    balanced(run.results)
    assert "nobody is there" in [text for _, text in run.results.moments]
    assert "the hook ended with exit code 4" in run.results.invalid


async def test_stopped_by_hand_it_ends_in_order_and_is_judged(there: list[str], tmp_path: Path) -> None:
    """What there is by then; nothing was lost, and the reader is warned."""
    folder = tmp_path / "report"
    process = await started(*QUICK, "--out", str(folder), *there, *SIZES, "--seconds", "300")
    await says(process, "hold | 12 of 12 connected")
    await says(process, "hold | ")  # ten seconds of it
    process.send_signal(signal.SIGTERM)
    run = await ended(process, folder)
    good(run)
    assert "the run was ended early, by a signal" in run.results.warnings


async def test_stopped_while_users_arrive_it_does_not_wait_for_them(there: list[str], tmp_path: Path) -> None:
    """By a terminal that is closed; what was there is told, and what told nothing."""
    folder = tmp_path / "report"
    sizes = ["--users", "200", "--spawn-rate", "1", "--seconds", "2", "--processes", "2", "--mix", "chat=1"]
    silent = "http://127.0.0.1:1/metrics"
    process = await started(*there, *sizes, "--metrics", silent, "--out", str(folder))
    await says(process, "ramp | ")
    process.send_signal(signal.SIGHUP)
    run = await ended(process, folder)
    assert run.code == 3, shown(run)
    assert run.results.invalid == ["no phase was measured"]
    warned = {"the run was ended early, by a signal", f"{silent} told nothing of its gateways' CPU and memory"}
    assert warned <= set(run.results.warnings)


async def test_killed_it_leaves_no_process(there: list[str], tmp_path: Path) -> None:
    """Neither Locust nor its workers, who would go on for as long as the run was to last."""
    arguments = [*QUICK, *there, *SIZES, "--seconds", "300", "--processes", "2", "--out", str(tmp_path / "report")]
    process = await started(*arguments)
    await says(process, "hold | ")
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) == 3
    process.kill()
    await process.wait()
    await until(lambda: not any(_lives(each) for each in family), "all of them to be gone")


async def test_without_files_locust_still_tells_what_it_saw(there: list[str], tmp_path: Path) -> None:
    """Connections have taken them all, and facts are a file, too."""
    path = tmp_path / "facts.msgpack"
    shape = ["--shape", "hold", "--users", "60", "--spawn-rate", "60", "--seconds", "300", "--facts", str(path)]
    locust = ["-f", "loadtests/locustfile.py", "--headless", "--only-summary", "--loglevel", "WARNING"]
    limited = ["prlimit", "--nofile=60:60", sys.executable]
    process = await started(*locust, *shape, *there, module="locust", python=limited)
    await says(process, " FAILED")
    process.send_signal(signal.SIGTERM)
    said = (await ended(process, tmp_path)).output
    facts = Facts.read(path)
    assert not any("before it could hand over" in each for each in facts.invalid), said
    assert facts.timeline.total(kinds.CONNECT).failures[kinds.NO_FILES] > 0
    assert facts.account.stays


async def test_workers_of_other_hosts_play_together_and_a_lost_one_ends_it_with_3(
    there: list[str], tmp_path: Path
) -> None:
    """One leads and plays nothing, two follow; one of them is killed, and what the other has seen is still told."""
    owner = Ports()
    place, tokens = f"127.0.0.1:{spare(1, owner)[0]}", there[there.index("--tokens") + 1]
    folder, sizes = tmp_path / "report", [*SIZES, "--seconds", "300"]
    leads = await started(*QUICK, "--out", str(folder), *there, *sizes, "--bind", place, "--expect-workers", "2")
    follow = [await started("--worker-of", place, "--tokens", tokens) for _ in range(2)]
    try:
        await says(leads, "hold | 12 of 12 connected")
        follow[0].send_signal(signal.SIGTERM)
        run = await ended(leads, folder)
        codes = [(await ended(each, folder)).code for each in follow]
    finally:
        for each in (leads, *follow):
            if each.returncode is None:
                each.kill()
                await each.wait()
    assert run.code == 3, shown(run)
    assert any("of 2 workers 1 are there" in each for each in run.results.invalid), run.results.invalid
    assert run.results.counts.acknowledged > 0
    assert codes[1] == 0


async def test_a_machine_with_too_few_files_is_refused_with_2(tmp_path: Path) -> None:
    """Before anything is started; and what mends it is shown."""
    limited = ["prlimit", "--nofile=300:300", sys.executable]
    run = await ended(await started("--users", "500", "--out", f"{tmp_path}/report", python=limited), tmp_path)
    assert run.code == 2, run.output
    assert "ulimit -n" in run.output
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("arguments", [["--users", "0"], ["--tokens", "x"], ["--shape", "square"]])
async def test_what_cannot_be_run_ends_with_2(arguments: list[str], tmp_path: Path) -> None:
    """The rest of it is in the unit tests of the options."""
    assert (await ended(await started(*arguments), tmp_path)).code == 2


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
