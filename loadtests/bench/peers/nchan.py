"""nginx with the nchan module, from Debian; for the fan-out alone, as it speaks no Socket.IO."""

import os
import shutil
from pathlib import Path
from typing import Final

from loadtests.bench.machine import Cores
from loadtests.bench.peers.peer import Peer
from loadtests.bench.ports import free_port
from loadtests.bench.targets import TargetError, Traits, upgrade

_TEMPLATE: Final = Path(__file__).with_name("nchan.conf")
_MODULE: Final = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")


TRAITS: Final = Traits(
    "nginx + nchan",
    does="published by HTTP; kept in shared memory (100 messages of each room)",
    does_not="speak Socket.IO, verify a token, store on disk, deduplicate, number, take in messages of clients",
    fan_out_only=True,
)


class NchanPeer(Peer):
    """See `peer.Peer`. It has no broker: one worker does all the work."""

    def __init__(self, folder: Path, cores: Cores) -> None:
        super().__init__(TRAITS, folder, cores)
        self._program = ""
        self._port = 0

    async def prepare(self) -> None:
        """Find nginx."""
        program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        if program is None or not _MODULE.exists():
            raise TargetError(
                "nginx with nchan is not installed (Debian: nginx, libnginx-mod-nchan; .ci/packages bench)"
            )
        self._program = program

    async def renew(self) -> None:
        """Start it again."""
        await self._processes.end_servers()
        self._port = free_port()
        configuration = self._folder / "nginx.conf"
        text = _TEMPLATE.read_text().format(folder=self._folder, port=self._port, module=_MODULE)
        configuration.write_text(text)
        command = [self._program, "-p", str(self._folder), "-e", "stderr", "-c", str(configuration)]
        await self._processes.server("nchan", command, self._port)

    def port(self, _gateway: int) -> int:
        """There is one."""
        return self._port

    def request(self, room: str) -> bytes:
        """A subscription: a room is a URL."""
        return upgrade(f"/sub/{room}")

    def greeting(self, _user: int) -> None:
        """None: it speaks WebSocket alone."""
