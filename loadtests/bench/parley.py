"""Parley itself: the local stack as everybody runs it, with gateway-1 on a core of its own."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from deploy.local.ports import Ports
from deploy.local.stack import ROOT, Stack
from deploy.local.unlimited import UNLIMITED
from loadtests.bench.machine import Cores
from loadtests.bench.processes import Output
from loadtests.bench.scheduling import give_way, pin
from loadtests.bench.targets import SOCKET_IO, TargetError, Traits

USERS: Final = 10_000
_TOKEN_SECONDS: Final = 4 * 3600

_MEASURED: Final = "gateway-1"


class Parley:
    """See `targets.Target`. History gives way to the client: the second core is shared by what is not measured.

    The limits of the gateways are lifted: the one thing that is not as it is by default.
    """

    traits = Traits(
        name="parley",
        does="token verified, stored on disk, deduplicated, ordered, gaps healed",
        does_not="",
    )

    def __init__(self, folder: Path, cores: Cores, users: int = USERS) -> None:
        self._cores = cores
        self._output = Output()
        self._stack = Stack(folder, Ports.free(), sink=self._output, environ=UNLIMITED)
        self._users = users
        self._greetings: list[bytes] = []

    async def __aenter__(self) -> Self:
        """Start the stack, and mint tokens with the command that operators use."""
        await self._stack.__aenter__()
        try:
            self._greetings = [b"40" + json.dumps({"token": each}).encode() for each in await self._mint()]
            for each in self.elsewhere():
                give_way(each)
            pin(self.server(), self._cores.server)
        except BaseException:
            await self._stack.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the stack."""
        await self._stack.__aexit__()

    async def renew(self) -> None:
        """Start gateway-1 again."""
        child = self._stack.children[_MEASURED]
        await child.stop()
        await child.start()
        await self._stack.ready(_MEASURED)
        pin(child.pid, self._cores.server)

    def server(self) -> int:
        """Gateway 1."""
        return self._stack.children[_MEASURED].pid

    def beside(self) -> Sequence[int]:
        """NATS, auth, history and MongoDB; not the other gateway."""
        return [self._stack.children[name].pid for name in ("nats", "mongo", "auth", "history")]

    def elsewhere(self) -> Sequence[int]:
        """History and MongoDB: an acknowledgement comes from the stream, and what members see from NATS."""
        return [self._stack.children[name].pid for name in ("history", "mongo")]

    def port(self, gateway: int) -> int:
        """Of a gateway."""
        return self._stack.ports.gateway_1 if gateway == 1 else self._stack.ports.gateway_2

    def request(self, _room: str) -> bytes:
        """As official clients do with the WebSocket transport alone."""
        return SOCKET_IO

    def greeting(self, user: int) -> bytes:
        """With a token of that user."""
        return self._greetings[user]

    def complaints(self) -> list[str]:
        """The last lines of the stack."""
        return self._output.lines()

    async def _mint(self) -> list[str]:
        command = [sys.executable, "-m", "services.auth", "mint", "--users", str(self._users)]
        command += ["--seconds", str(_TOKEN_SECONDS)]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=self._stack.environment("auth"), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise TargetError(f"minting tokens ended with exit code {process.returncode}")
        return output.decode().split()
