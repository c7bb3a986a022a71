"""What the Socket.IO peers have in common: Redis beside them, and two gateways on it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from loadtests.bench.machine import Cores
from loadtests.bench.peers import redis_server
from loadtests.bench.peers.peer import Peer
from loadtests.bench.ports import free_port
from loadtests.bench.targets import SOCKET_IO, Traits

PEERS: Final = Path(__file__).resolve().parent


class SocketIoPeer(Peer):
    """See `peer.Peer`. `command` starts one gateway, which is told PORT and REDIS_URL."""

    def __init__(
        self,
        traits: Traits,
        command: Sequence[str],
        folder: Path,
        cores: Cores,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(traits, folder, cores, environ)
        self._command = command
        self._ports: list[int] = []
        self._redis_url = ""

    async def prepare(self) -> None:
        """Start Redis."""
        self._redis_url = await redis_server.start(self._processes, self._folder)

    async def renew(self) -> None:
        """Start both gateways again."""
        await self._processes.end_servers()
        self._ports = [free_port(), free_port()]
        for number, port in enumerate(self._ports, 1):
            name = f"{self.traits.name} {number}"
            await self._processes.server(name, self._command, port, PORT=str(port), REDIS_URL=self._redis_url)

    def port(self, gateway: int) -> int:
        """Of a gateway."""
        return self._ports[gateway - 1]

    def request(self, _room: str) -> bytes:
        """As official clients do with the WebSocket transport alone."""
        return SOCKET_IO

    def greeting(self, _user: int) -> bytes:
        """A CONNECT without a token: there is nobody to verify one."""
        return b"40"
