"""The commands of history as operators run them: a process, its exit code, and what it says."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from deploy.local.stack import ROOT

NOT_DONE: Final = "not done yet, trying on"
_DEADLINE: Final = 60.0


class Ended(NamedTuple):
    """How it ended."""

    code: int
    said: str
    """On standard error."""
    logged: list[str]

    def reasons(self) -> dict[str, list[str]]:
        """Why what was not done at first was not, in the order in which it was said."""
        reasons: dict[str, list[str]] = {}
        for each in map(json.loads, self.logged):
            if each["event"] == NOT_DONE:
                reasons.setdefault(each["what"], []).append(each["detail"])
        return reasons


class Step:
    """A run of a command."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def ended(self) -> Ended:
        """Wait until it ends."""
        output, said = await self.process.communicate()
        assert self.process.returncode is not None
        return Ended(self.process.returncode, said.decode(), output.decode().splitlines())


@asynccontextmanager
async def step(environ: Mapping[str, str], *arguments: str) -> AsyncIterator[Step]:
    """Run a command, the admin step by default, with these variables; it has ended after the block."""
    command = [sys.executable, "-m", "services.history", *(arguments or ("setup",))]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environ, stdout=PIPE, stderr=PIPE)
    try:
        yield Step(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def set_up(environ: Mapping[str, str], *arguments: str) -> Ended:
    """Run it to its end."""
    async with step(environ, *arguments) as running:
        return await running.ended()


async def set_up_in_vain(environ: Mapping[str, str], *lacking: str, why: str = "") -> Ended:
    """Run the admin step until it has said of each of `lacking` that it is not done, and end it then.

    The reason is to have `why` in it; on a busy machine another may come before and after. However long that takes:
    SETUP_SECONDS is to be more.
    """
    waiting = set(lacking)
    logged: list[str] = []
    async with step(environ) as running, asyncio.timeout(_DEADLINE):
        assert running.process.stdout is not None
        while waiting:
            line = (await running.process.stdout.readline()).decode().rstrip("\n")
            assert line, f"it ended, and has not said what is wrong with {waiting}"
            logged.append(line)
            said = json.loads(line)
            if said["event"] == NOT_DONE and why in said["detail"]:
                waiting.discard(said["what"])
        running.process.terminate()
        ended = await running.ended()
    return ended._replace(logged=logged + ended.logged)
