"""How a load test ends that is not good: with which exit code, and that it ends."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.load_runs import QUICK, balanced, ended, given, load, shown, started
from tests.support.stacks import TestStack

SIZES = ("--users", "12", "--rooms", "3", "--mix", "chat=2,lurker=1")


@pytest.fixture(scope="module")
async def there(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[str]]:
    """A deployment that runs already, by the arguments for it."""
    folder = tmp_path_factory.mktemp("there")
    async with TestStack(folder / "stack") as stack:
        tokens = folder / "tokens"
        tokens.write_text("\n".join(await stack.mint(40)))
        yield given(stack.gateway_urls, tokens)


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
    await _line(process, "hold | 12 of 12 connected")
    await _line(process, "hold | ")  # ten seconds of it
    process.send_signal(signal.SIGTERM)
    run = await ended(process, folder)
    balanced(run.results)
    assert run.code == 0, shown(run)
    assert "the run was ended early, by a signal" in run.results.warnings


async def test_workers_of_other_hosts_play_together_and_a_lost_one_ends_it_with_3(
    there: list[str], tmp_path: Path
) -> None:
    """One leads and plays nothing, two follow; one of them is killed, and what the other has seen is still told."""
    place, tokens = f"127.0.0.1:{_free_port()}", there[there.index("--tokens") + 1]
    folder, sizes = tmp_path / "report", [*SIZES, "--seconds", "300"]
    leads = await started(*QUICK, "--out", str(folder), *there, *sizes, "--bind", place, "--expect-workers", "2")
    follow = [await started("--worker-of", place, "--tokens", tokens) for _ in range(2)]
    try:
        await _line(leads, "hold | 12 of 12 connected")
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


async def _line(process: asyncio.subprocess.Process, text: str) -> None:
    """Wait until it has said so."""
    assert process.stdout is not None
    said: list[str] = []
    async with asyncio.timeout(60):
        while text not in (said[-1] if said else ""):
            line = await process.stdout.readline()
            assert line, "".join(said)
            said.append(line.decode())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
