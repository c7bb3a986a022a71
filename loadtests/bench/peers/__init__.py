"""The peers, each set up as its documentation recommends for production; a short file each."""

from pathlib import Path

from loadtests.bench.machine import Cores
from loadtests.bench.targets import Target


def peers(folder: Path, cores: Cores) -> list[Target]:
    """All of them, not yet set up."""
    return []


async def reference(*_: object) -> None:
    """Nothing yet."""
