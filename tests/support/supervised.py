"""`make run` as a process: what it says, what it runs, and how it ends."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psutil

from deploy.local.ports import Ports
from deploy.local.stack import ROOT

READY: Final = "Parley is ready."
_OFFSETS: Final = range(2_000, 14_000)
"""With these, all ports of a stack are below those of which a system gives one to each connection."""


def _free() -> tuple[int, Ports]:
    """An offset at which all ports of a stack are free, and these, reserved."""
    for offset in random.sample(_OFFSETS, 100):
        ports = Ports.shifted(offset)
        if ports.reserve():
            return offset, ports
    raise AssertionError("no free ports")


class Run:
    """A supervisor that was started as a command."""

    def __init__(self, process: asyncio.subprocess.Process, ports: Ports) -> None:
        self.process = process
        self.ports = ports
        self.lines: list[str] = []

    async def until(self, text: str, *, seconds: float = 90) -> None:
        """Read its output until `text` is in a line; fails when it ends before."""
        assert self.process.stdout is not None
        async with asyncio.timeout(seconds):
            while line := await self.process.stdout.readline():
                self.lines.append(line.decode().rstrip())
                if text in self.lines[-1]:
                    return
        raise AssertionError("\n".join(self.lines[-20:]))

    async def ended(self) -> int:
        """Wait for its end, and return the exit code."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            rest = await self.process.stdout.read()
            self.lines += rest.decode().splitlines()
            return await self.process.wait()

    def children(self) -> list[psutil.Process]:
        """What it runs."""
        return psutil.Process(self.process.pid).children(recursive=True)


@asynccontextmanager
async def supervised(*command: str, cwd: Path = ROOT, data: Path, **environ: str) -> AsyncIterator[Run]:
    """`make run`, or `command`, while the block runs; then it is killed, if it has not ended."""
    offset, ports = _free()
    process = await asyncio.create_subprocess_exec(
        *(command or (sys.executable, "-m", "deploy.local")),
        cwd=cwd,
        env={**os.environ, "PORT_OFFSET": str(offset), "DATA_DIR": str(data), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield Run(process, ports)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
