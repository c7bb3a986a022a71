"""What the Socket.IO peers have in common: Redis beside them, and two gateways on it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from loadtests.bench.machine import Cores
from loadtests.bench.peers import redis_server
from loadtests.bench.ports import free_port
from loadtests.bench.processes import Processes, pids
from loadtests.bench.targets import SOCKET_IO, Traits

PEERS: Final = Path(__file__).resolve().parent


class SocketIoPeer:
    """See `targets.Target`. `command` starts one gateway, which is told PORT and REDIS_URL."""

    def __init__(
        self, traits: Traits, command: Sequence[str], folder: Path, cores: Cores, environ: Mapping[str, str]
    ) -> None:
        self.traits = traits
        self._command = command
        self._folder = folder
        self._processes = Processes(folder, {**os.environ, **environ}, cores)
        self._ports: list[int] = []
        self._redis_url = ""

    async def __aenter__(self) -> Self:
        """Start Redis, and the gateways once to see that they can be."""
        self._folder.mkdir()
        try:
            await self.prepare()
            self._redis_url = await redis_server.start(self._processes, self._folder)
            await self.renew()
        except BaseException:
            await self._processes.end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all."""
        await self._processes.end()

    async def prepare(self) -> None:
        """Whatever must be installed; raises `TargetError` when it cannot be."""

    async def renew(self) -> None:
        """Start both gateways again."""
        await self._processes.end_servers()
        self._ports = [free_port(), free_port()]
        for number, port in enumerate(self._ports, 1):
            name = f"{self.traits.name} {number}"
            await self._processes.server(name, self._command, port, PORT=str(port), REDIS_URL=self._redis_url)

    def server(self) -> int:
        """Gateway 1."""
        return self._processes.servers[0].pid

    def beside(self) -> Sequence[int]:
        """Redis."""
        return pids(self._processes.brokers)

    def port(self, gateway: int) -> int:
        """Of a gateway."""
        return self._ports[gateway - 1]

    def request(self, _room: str) -> bytes:
        """As official clients do with the WebSocket transport alone."""
        return SOCKET_IO

    def greeting(self, _user: int) -> bytes:
        """A CONNECT without a token: there is nobody to verify one."""
        return b"40"

    def complaints(self) -> list[str]:
        """The last lines of all processes."""
        return self._processes.output.lines()
