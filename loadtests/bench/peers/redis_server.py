"""Redis, from Debian, for peers. A module named `redis` would hide the library of that name from a peer's script."""

import shutil
from pathlib import Path

from deploy.local.ports import HOST
from loadtests.bench.ports import free_port
from loadtests.bench.processes import Processes
from loadtests.bench.targets import TargetError


async def start(processes: Processes, folder: Path) -> str:
    """Start one of its own, without snapshots on disk; returns its URL."""
    program = shutil.which("redis-server")
    if program is None:
        raise TargetError("redis-server is not installed (Debian: redis-server; .ci/packages bench)")
    port = free_port()
    command = [program, "--bind", HOST, "--port", str(port), "--dir", str(folder), "--save", "", "--appendonly", "no"]
    await processes.broker("redis", command, port)
    return f"redis://{HOST}:{port}"
