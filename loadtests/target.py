"""The system that is measured: a stack of the run's own, or a deployment that is given."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from deploy.local.ports import HOST, Ports
from deploy.local.process import Child
from deploy.local.stack import ROOT, Stack
from deploy.local.unlimited import UNLIMITED
from loadtests import restarting

_LOG_LINES: Final = 40


class RunError(Exception):
    """The run could not be done; the message is the one line to show."""


class Complaints:
    """What the processes of a stack say, beside the usual: the last of it. See `deploy.local.process.Sink`."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_LOG_LINES)

    def __call__(self, name: str, line: str) -> None:
        """One more line."""
        if '"level": "info"' not in line and "[INF]" not in line:
            self._lines.append(f"{name} | {line}")

    def clear(self) -> None:
        """Forget what was said while it started."""
        self._lines.clear()

    def show(self) -> None:
        """To people."""
        if self._lines:
            print("what the stack said, beside the usual:", *self._lines, sep="\n  ", file=sys.stderr)


class Target(msgspec.Struct, frozen=True):
    """What a run has to know of it."""

    urls: list[str]
    metrics: dict[str, str]
    """How each gateway is called, by the URL of its /metrics; as far as they are known."""
    tokens: Path
    hook: str
    """Restarts the gateways."""
    environ: Mapping[str, str]
    """For processes that make the load."""
    words: str
    own: bool


class OwnStack:
    """A stack for one run, without limits, which restarts its gateways for those who ask for it."""

    def __init__(self, folder: Path, *, gateways: int, drains: bool) -> None:
        """`drains`: its gateways take their time to end, as in production. Raises `OSError` without free ports."""
        self._complaints = Complaints()
        self._folder = folder
        environ = {**UNLIMITED, "DRAIN_SECONDS": str(restarting.DRAIN_SECONDS if drains else 0)}
        self._stack = Stack(folder / "stack", Ports.free(), sink=self._complaints, environ=environ, gateways=gateways)

    @property
    def urls(self) -> list[str]:
        """Where it will listen."""
        return self._stack.gateway_urls

    @asynccontextmanager
    async def started(self, seats: int, seconds: int) -> AsyncIterator[Target]:
        """With tokens for so many users, good for so long. Raises `StackError` and `RunError`."""
        async with self._stack as stack:
            self._complaints.clear()  # it has started
            tokens = self._folder / "tokens"
            tokens.touch(mode=0o600)
            tokens.write_bytes(await mint(seats, seconds, stack.environment("auth")))
            socket = self._folder / "restarting"
            async with restarting.restarts(stack, socket):
                yield Target(
                    urls=self.urls,
                    metrics=dict(zip(stack.metrics_urls, (each.name for each in stack.gateways), strict=True)),
                    tokens=tokens,
                    hook=f"'{sys.executable}' -m loadtests.restarting '{socket}'",
                    environ={**os.environ, "NO_PROXY": HOST, "no_proxy": HOST},
                    words=f"{len(self.urls)} gateways of a stack of its own, on this machine",
                    own=True,
                )

    async def ended(self) -> list[str]:
        """Which of its processes have ended though nobody told them to, and how."""
        return await fallen(self._stack.children.values())

    def show_complaints(self) -> None:
        """What the services said, beside the usual."""
        self._complaints.show()


async def fallen(children: Iterable[Child]) -> list[str]:
    """Which of these have ended though nobody told them to, and how; what they said last is among the complaints."""
    return [(await each.ended()).partition(": ")[0] for each in children if each.has_fallen]


async def mint(seats: int, seconds: int, environ: Mapping[str, str]) -> bytes:
    """Tokens for so many users, one a line, signed with the keys that `environ` names. Raises `RunError`."""
    command = [sys.executable, "-m", "services.auth", "mint", "--users", str(seats), "--seconds", str(seconds)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=dict(environ), stdout=PIPE)
    try:
        tokens, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RunError(f"minting tokens ended with exit code {process.returncode}")
    return tokens
