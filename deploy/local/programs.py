"""The servers that come as wheels, as commands. Each raises `StackError` when it is not installed."""

import sys
from pathlib import Path

from deploy.local.ports import HOST, Ports
from deploy.local.process import StackError


def nats(ports: Ports, folder: Path, config: Path) -> list[str]:
    """nats-server with JetStream, and its monitoring; the rest is in the file `config`."""
    command = [_tool("nats-server"), "-a", HOST, "-p", str(ports.nats)]
    return [*command, "-m", str(ports.nats_monitor), "-js", "-sd", str(folder), "-c", str(config)]


def mongo(ports: Ports, folder: Path, *, asks: bool) -> list[str]:
    """SecantusDB, MongoDB's protocol over WiredTiger. What it has acknowledged survives kill -9.

    `asks`: whether it lets in only users that it knows.
    """
    command = [_tool("secantusd-py"), "--host", HOST, "--port", str(ports.mongo), "--storage-path", str(folder)]
    return [*command, "--sync-on-commit", "--log-level", "WARNING", *(["--auth"] if asks else [])]


def _tool(name: str) -> str:
    """A program that was installed beside this Python."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise StackError(f"{name} is not installed in this environment: run make again")
    return str(path)
