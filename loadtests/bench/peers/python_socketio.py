"""python-socketio, with its Redis manager."""

import importlib.util
import sys
from pathlib import Path
from typing import Final

from loadtests.bench.machine import Cores
from loadtests.bench.peers.socketio_peer import PEERS, SocketIoPeer
from loadtests.bench.targets import TargetError, Traits

TRAITS: Final = Traits(
    "python-socketio + redis",
    does="relayed by Redis publish/subscribe, at most once",
    does_not="verify a token, store, deduplicate, number, heal gaps",
)


class PythonSocketIoPeer(SocketIoPeer):
    """See `socketio_peer.SocketIoPeer`."""

    def __init__(self, folder: Path, cores: Cores) -> None:
        super().__init__(TRAITS, [sys.executable, str(PEERS / "python_socketio_redis.py")], folder, cores)

    async def prepare(self) -> None:
        """Its Redis client comes with requirements/bench.txt."""
        if importlib.util.find_spec("redis") is None:
            raise TargetError("the Python package redis is not installed (requirements/bench.txt)")
        await super().prepare()
