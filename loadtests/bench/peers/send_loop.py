"""The floor: how long a bare C send() of the same bytes takes, compiled here with gcc."""

import asyncio
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Final

from loadtests.bench.machine import Cores
from loadtests.bench.targets import TargetError

NAME: Final = "c send()"
_SOURCE: Final = Path(__file__).with_name("send_loop.c")
_BYTES: Final = 230
"""A frame of Parley's with the body that is measured with."""
_SENDS: Final = 200_000
_SECONDS: Final = 60.0


class SendLoop:
    """Compiled once into `folder`."""

    def __init__(self, folder: Path, cores: Cores) -> None:
        self._program = folder / "send_loop"
        self._cores = cores

    async def compile(self) -> None:
        """Raises `TargetError` when there is no compiler."""
        gcc = shutil.which("gcc")
        if gcc is None:
            raise TargetError("gcc is not installed (Debian: gcc, libc6-dev; .ci/packages bench)")
        await _output(gcc, "-O2", "-o", str(self._program), str(_SOURCE))

    async def us(self, sockets: int) -> float:
        """CPU time of one send(), in microseconds."""
        sizes = (sockets, _BYTES, max(1, _SENDS // sockets), self._cores.server, self._cores.rest)
        return float(await _output(str(self._program), *map(str, sizes))) / 1000


async def _output(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(_SECONDS):
            output, errors = await process.communicate()
    except TimeoutError:
        raise TargetError(f"{command[0]} was not done in time") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise TargetError(f"{command[0]}: {errors.decode(errors='replace')[-300:]}")
    return output.decode()
