"""The commands of history as operators run them: a process, its exit code, and what it says."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from deploy.local.stack import ROOT


class Ended(NamedTuple):
    """How it ended."""

    code: int
    said: str
    """On standard error."""
    logged: list[str]


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
