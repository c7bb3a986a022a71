"""A disk that is full."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from tests.faults.suite.arena import Arena, one_nats_in
from tests.faults.suite.fault import Blow, fault

_DISK: Final = "64m"
_PIECE: Final = b"0" * 4096


@asynccontextmanager
async def small_disk(environ: Mapping[str, str]) -> AsyncIterator[Arena]:
    """A stack whose nats-server has a small disk of its own."""
    with tempfile.TemporaryDirectory(prefix="parley-faults-") as name:
        disk = Path(name) / "nats"
        disk.mkdir()
        await _run("mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(disk))
        try:
            async with one_nats_in(Path(name), environ) as arena:
                yield arena
        finally:
            await _run("umount", str(disk))


@fault(ground=small_disk, needs_root=True)
async def disk_full(blow: Blow) -> None:
    """JetStream's disk is full for a while; when there is room again, nats-server is restarted.

    nats-server 2.15 needs that: once a write has failed, its stream stores nothing until then.
    """
    filler = blow.arena.stack.data / "nats" / "filler"
    async with blow.somebody_is_refused():
        await asyncio.to_thread(_fill, filler)
        await blow.wait(15, short=0)
    filler.unlink()
    nats = blow.arena.child("nats")
    await nats.stop()
    await nats.start()


def _fill(file: Path) -> None:
    with suppress(OSError), file.open("wb", buffering=0) as filler:
        while True:
            filler.write(_PIECE)


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        raise OSError(f"{command[0]} did not work")
