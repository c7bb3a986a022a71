"""Node's Socket.IO, with either of its Redis adapters, from npm."""

import asyncio
import shutil
from pathlib import Path
from typing import Final

from loadtests.bench.machine import Cores
from loadtests.bench.peers.socketio_peer import PEERS, SocketIoPeer
from loadtests.bench.targets import TargetError, Traits
from web import npm

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


class NodePeer(SocketIoPeer):
    """See `socketio_peer.SocketIoPeer`."""

    def __init__(self, traits: Traits, script: str, folder: Path, cores: Cores) -> None:
        command = ["node", str(PEERS / script)]
        super().__init__(traits, command, folder, cores, {"NODE_ENV": "production"})

    async def prepare(self) -> None:
        """Install what package-lock.json pins, checked against its hashes, without its scripts; and start Redis."""
        if shutil.which("node") is None:
            raise TargetError("node is not installed (Debian: nodejs, npm; .ci/packages bench)")
        try:
            await asyncio.to_thread(npm.install, PEERS)
        except npm.NpmError as error:
            raise TargetError(f"{error}: {error.output[-300:]}") from None
        await super().prepare()
