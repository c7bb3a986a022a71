"""`python -m loadtests.restarting SOCKET`: has each gateway of a run's own stack restarted, one after the other.

The run listens on the socket. It ends a gateway with SIGTERM, which lets it drain, starts it again, waits until it is
ready, and goes on with the next. Exit code 0: all were. 1: one was not. 2: nobody listens.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from deploy.local.process import StackError
from deploy.local.stack import Stack

DRAIN_SECONDS: Final = 5
SECONDS_MOST: Final = 600.0
_STOP_SECONDS: Final = 30.0
_DONE: Final = "all gateways were restarted"


def main(arguments: list[str]) -> int:
    """Ask for it, and pass on what is told; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python -m loadtests.restarting SOCKET", file=sys.stderr)
        return 2
    try:
        return asyncio.run(_ask(arguments[0]))
    except OSError as error:
        print(f"loadtests: {arguments[0]}: {error.strerror or error}", file=sys.stderr)
        return 2


async def _ask(path: str) -> int:
    reader, writer = await asyncio.open_unix_connection(path)
    last = ""
    try:
        async with asyncio.timeout(SECONDS_MOST):
            async for line in reader:
                last = line.decode().strip()
                print(last, flush=True)
    except TimeoutError:
        last = f"not within {SECONDS_MOST:g} s"
        print(last, flush=True)
    finally:
        writer.close()
    return 0 if last == _DONE else 1


@asynccontextmanager
async def restarts(stack: Stack, path: Path) -> AsyncIterator[None]:
    """Listen on `path`, and restart the gateways of `stack` for whoever connects, one after the other.

    A restart that is under way at the end of the block is given up: nothing is started any more.
    """
    turn = asyncio.Lock()
    serving = set[asyncio.Task[None]]()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_serve(stack, turn, writer))
        serving.add(task)
        await asyncio.wait([task])
        serving.discard(task)

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield
    finally:
        server.close()
        for each in serving:
            each.cancel()
        if serving:
            await asyncio.wait(serving)


async def _serve(stack: Stack, turn: asyncio.Lock, writer: asyncio.StreamWriter) -> None:
    try:
        async with turn:
            await _restart_all(stack, writer)
    except StackError as error:
        writer.write(f"{error}\n".encode())
    finally:
        writer.close()


async def _restart_all(stack: Stack, writer: asyncio.StreamWriter) -> None:
    for name in (each.name for each in stack.gateways):
        began = time.monotonic()
        await stack.children[name].stop(timeout=_STOP_SECONDS)
        ended = time.monotonic()
        await stack.children[name].start()
        await stack.ready(name)
        took = f"ended in {ended - began:.1f} s, ready again {time.monotonic() - ended:.1f} s later"
        writer.write(f"{name}: {took}\n".encode())
    writer.write(f"{_DONE}\n".encode())
    await writer.drain()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
