"""Runs of `python -m loadtests.connections`, in small."""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from deploy.local import haproxy
from deploy.local.process import StackError
from tests.support.load_runs import ANY_SPEED, Ended, ended, started

CONNECTIONS: Final = 300


def _missing() -> str:
    try:
        haproxy.program()
    except StackError as error:
        return str(error)
    return ""


_MISSING: Final = _missing()
HAPROXY: Final = pytest.mark.skipif(bool(_MISSING), reason=f"{_MISSING}: holding connections is NOT tested")


async def begun(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    """One whose report will be in `folder`, running; whoever begins it ends it."""
    sizes = ["--connections", str(CONNECTIONS), "--rate", "50", "--connect-rate", "150", *ANY_SPEED]
    return await started(*sizes, "--out", str(folder), *arguments, module="loadtests.connections")


async def held(folder: Path, *arguments: str) -> Ended:
    """A whole one."""
    return await ended(await begun(folder, *arguments), folder)
