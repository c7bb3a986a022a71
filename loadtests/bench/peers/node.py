"""Node's Socket.IO, with either of its Redis adapters, from npm."""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path
from typing import Final

from loadtests.bench.machine import Cores
from loadtests.bench.peers.socketio_peer import PEERS, SocketIoPeer
from loadtests.bench.targets import TargetError, Traits

REDIS: Final = Traits(
    "node + redis",
    does="relayed by Redis publish/subscribe, at most once",
    does_not="verify a token, store, deduplicate, number, heal gaps",
)
STREAMS: Final = Traits(
    "node + redis streams",
    does="kept in memory by a Redis stream (10,000 messages of all rooms together); recovery within 2 minutes",
    does_not="verify a token, store on disk, deduplicate, number",
)
_INSTALL_SECONDS: Final = 180.0


class NodePeer(SocketIoPeer):
    """See `socketio_peer.SocketIoPeer`."""

    def __init__(self, traits: Traits, script: str, folder: Path, cores: Cores) -> None:
        command = ["node", str(PEERS / script)]
        super().__init__(traits, command, folder, cores, {"NODE_ENV": "production"})

    async def prepare(self) -> None:
        """Install what package-lock.json pins, checked against its hashes; no package's scripts run."""
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            raise TargetError("node or npm is not installed (Debian: nodejs, npm; .ci/packages bench)")
        lock, installed = PEERS / "package-lock.json", PEERS / "node_modules" / ".package-lock.json"
        if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
            return
        process = await asyncio.create_subprocess_exec(
            npm, "ci", "--ignore-scripts", cwd=PEERS, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
        )
        try:
            async with asyncio.timeout(_INSTALL_SECONDS):
                output, _ = await process.communicate()
        except TimeoutError:
            raise TargetError("npm ci was not done in time") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise TargetError(f"npm ci failed: {output.decode(errors='replace')[-300:]}")
