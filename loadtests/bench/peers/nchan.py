"""nginx with the nchan module, from Debian; for the fan-out alone, as it speaks no Socket.IO."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from loadtests.bench.machine import Cores
from loadtests.bench.ports import free_port
from loadtests.bench.processes import Processes
from loadtests.bench.targets import TargetError, Traits, upgrade

_TEMPLATE: Final = Path(__file__).with_name("nchan.conf")
_MODULE: Final = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")


class NchanPeer:
    """See `targets.Target`."""

    traits = Traits(
        "nginx + nchan",
        does="published by HTTP; kept in shared memory (100 messages of each room)",
        does_not="speak Socket.IO, verify a token, store on disk, deduplicate, number, take in messages of clients",
        fan_out_only=True,
    )

    def __init__(self, folder: Path, cores: Cores) -> None:
        self._folder = folder
        self._processes = Processes(folder, os.environ, cores)
        self._port = 0

    async def __aenter__(self) -> Self:
        """Start it once to see that it can be."""
        self._folder.mkdir()
        try:
            await self.renew()
        except BaseException:
            await self._processes.end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        await self._processes.end()

    async def renew(self) -> None:
        """Start it again. With one worker, that does all the work."""
        program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        if program is None or not _MODULE.exists():
            raise TargetError(
                "nginx with nchan is not installed (Debian: nginx, libnginx-mod-nchan; .ci/packages bench)"
            )
        await self._processes.end_servers()
        self._port = free_port()
        configuration = self._folder / "nginx.conf"
        text = _TEMPLATE.read_text().format(folder=self._folder, port=self._port, module=_MODULE)
        configuration.write_text(text)
        command = [program, "-p", str(self._folder), "-e", "stderr", "-c", str(configuration)]
        await self._processes.server("nchan", command, self._port)

    def server(self) -> int:
        """The master process, whose child is the worker."""
        return self._processes.servers[0].pid

    def beside(self) -> Sequence[int]:
        """Nothing."""
        return ()

    def port(self, _gateway: int) -> int:
        """There is one."""
        return self._port

    def request(self, room: str) -> bytes:
        """A subscription: a room is a URL."""
        return upgrade(f"/sub/{room}")

    def greeting(self, _user: int) -> None:
        """None: it speaks WebSocket alone."""

    def complaints(self) -> list[str]:
        """The last lines of nginx."""
        return self._processes.output.lines()
