"""The processes of targets: what they print is kept, they are ready when they listen, and all are ended."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy.local.ports import HOST
from deploy.local.process import Child
from loadtests.bench.machine import Cores
from loadtests.bench.scheduling import pin
from loadtests.bench.targets import TargetError

_READY_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05


class Output:
    """Keeps the last lines of what processes print."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=20)

    def __call__(self, name: str, line: str) -> None:
        """See `deploy.local.process.Sink`."""
        self._lines.append(f"{name} | {line}")

    def lines(self) -> list[str]:
        """The last of them."""
        return list(self._lines)


class Processes:
    """The processes of a peer: brokers that stay, and servers that are renewed. A context manager that ends all."""

    def __init__(self, folder: Path, environ: Mapping[str, str], cores: Cores) -> None:
        self.output = Output()
        self._folder = folder
        self._environ = environ
        self._cores = cores
        self.brokers: list[Child] = []
        self.servers: list[Child] = []

    async def broker(self, name: str, command: Sequence[str], port: int) -> None:
        """Start one that stays; it is ready when it listens."""
        self.brokers.append(await self._start(name, command, port, {}))

    async def server(self, name: str, command: Sequence[str], port: int, **environ: str) -> None:
        """Start a server. The first since `end_servers` gets the core to itself."""
        child = await self._start(name, command, port, environ)
        if not self.servers:
            pin(child.pid, self._cores.server)
        self.servers.append(child)

    async def end_servers(self) -> None:
        """End them, so that new ones can be started."""
        for child in self.servers:
            await child.stop(timeout=3.0)
        self.servers.clear()

    async def end(self) -> None:
        """End everything."""
        await self.end_servers()
        for child in reversed(self.brokers):
            await child.stop(timeout=3.0)
        self.brokers.clear()

    async def _start(self, name: str, command: Sequence[str], port: int, environ: Mapping[str, str]) -> Child:
        child = Child(name, command, cwd=self._folder, environ={**self._environ, **environ}, sink=self.output)
        await child.start()
        try:
            await _listens(child, port)
        except BaseException:
            await child.stop(timeout=3.0)
            raise
        return child


def pids(children: Iterable[Child]) -> list[int]:
    """Of those that run."""
    return [each.pid for each in children if each.is_running]


async def _listens(child: Child, port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            if not child.is_running:
                raise TargetError(await child.ended()) from None
            if time.monotonic() > deadline:
                raise TargetError(f"{child.name} did not listen within {_READY_SECONDS:g} s") from None
            await asyncio.sleep(_POLL_SECONDS)
        else:
            writer.close()
            return
