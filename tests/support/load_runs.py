"""Runs of `python -m loadtests` as operators make them, and what they leave behind."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from deploy.local.stack import ROOT
from loadtests.report.results import Ending, Figures, Results

_SECONDS_MOST = 150.0
ANY_SPEED = ("--slo", "tests/support/any_speed.yaml")
QUICK = ("--think", "1", "--spawn-rate", "40", *ANY_SPEED)
_OF_A_BUSY_MACHINE = (" of a core for ", " of a core in ", " was late by ", " stood still for ")
"""The words of `validity`."""


class Ended(msgspec.Struct, frozen=True):
    """A run, or another command, that has ended."""

    code: int
    output: str
    folder: Path

    @property
    def results(self) -> Results:
        """What it came to."""
        return msgspec.json.decode((self.folder / "run.json").read_bytes(), type=Results)

    def figures(self, kind: str) -> Figures:
        """Of one kind of request, in all measured phases."""
        return next(each for each in self.results.figures if each.kind == kind)


async def started(
    *arguments: str, module: str = "loadtests", python: Sequence[str] = (sys.executable,)
) -> asyncio.subprocess.Process:
    """The command, running; whoever starts it ends it."""
    return await asyncio.create_subprocess_exec(
        *python,
        "-m",
        module,
        *arguments,
        cwd=ROOT,
        env=os.environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def ended(process: asyncio.subprocess.Process, folder: Path) -> Ended:
    """Wait for it; it is killed when it takes too long, or when the test is over."""
    try:
        async with asyncio.timeout(_SECONDS_MOST):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode or 0, output.decode(), folder)


async def says(process: asyncio.subprocess.Process, text: str, *, seconds: float = 60) -> None:
    """Wait until it prints a line with `text`."""
    assert process.stdout is not None
    said: list[str] = []
    async with asyncio.timeout(seconds):
        while line := (await process.stdout.readline()).decode():
            said.append(line)
            if text in line:
                return
    raise AssertionError("".join(said))


async def load(folder: Path, *arguments: str) -> Ended:
    """A run whose report is in `folder`."""
    return await ended(await started(*QUICK, "--out", str(folder), *arguments), folder)


def given(urls: Sequence[str], tokens: Path, *, metrics: Sequence[str] = ()) -> list[str]:
    """The arguments for a deployment that runs already."""
    places = [("--url", url) for url in urls] + [("--metrics", url) for url in metrics]
    return [*(part for place in places for part in place), "--tokens", str(tokens)]


def balanced(results: Results) -> None:
    """Fails unless something was sent and received, and every account of it is balanced."""
    counts = results.counts
    assert counts.acknowledged > 0, counts
    assert counts.sent == counts.acknowledged + counts.refused + counts.unconfirmed, counts
    assert counts.received > 0, counts
    assert counts.expected == counts.received, counts
    assert (counts.lost, counts.duplicates, counts.out_of_order) == (0, 0, 0), counts
    assert not counts.other, counts


def good(ended: Ended) -> None:
    """Fails unless the run passed, or would have on a machine that does nothing else, with balanced accounts."""
    balanced(ended.results)
    strange = [each for each in ended.results.invalid if not any(words in each for words in _OF_A_BUSY_MACHINE)]
    assert not strange, shown(ended)
    assert ended.results.ending is (Ending.INVALID if ended.results.invalid else Ending.PASSED), shown(ended)
    assert ended.code == ended.results.ending.exit_code, shown(ended)


def shown(ended: Ended) -> str:
    """For a test that fails: what was printed, and what the run came to."""
    path = ended.folder / "run.json"
    reasons: Any = json.loads(path.read_bytes()).get("reasons") if path.exists() else "no results"
    return f"exit code {ended.code}\n{ended.output}\n{reasons}"
