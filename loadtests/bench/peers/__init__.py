"""The peers, each set up as its documentation recommends for production; a short file each."""

from pathlib import Path

from loadtests.bench.machine import Cores
from loadtests.bench.peers.nchan import NchanPeer
from loadtests.bench.peers.node import REDIS, STREAMS, NodePeer
from loadtests.bench.peers.python_socketio import PythonSocketIoPeer
from loadtests.bench.targets import Target


def peers(folder: Path, cores: Cores) -> list[Target]:
    """All of them, not yet set up; each has a folder of its own in `folder`."""
    return [
        NodePeer(REDIS, "node_redis.mjs", folder / "node-redis", cores),
        NodePeer(STREAMS, "node_redis_streams.mjs", folder / "node-redis-streams", cores),
        PythonSocketIoPeer(folder / "python-socketio", cores),
        NchanPeer(folder / "nchan", cores),
    ]
