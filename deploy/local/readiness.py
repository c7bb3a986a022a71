"""Waiting until a process is ready, with an end: it has ended itself, or it takes too long."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp

from deploy.local.process import Child, StackError

_READY_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05


async def wait(
    child: Child, is_ready: Callable[[], Awaitable[bool]], how_ended: Callable[[], Awaitable[str]]
) -> None:
    """Until `is_ready`; raises `StackError` as soon as `child` has ended, with `how_ended`, or after a minute."""
    deadline = time.monotonic() + _READY_SECONDS
    while not await is_ready():
        if not child.is_running:
            raise StackError(await how_ended())
        if time.monotonic() > deadline:
            raise StackError(f"{child.name} was not ready within {_READY_SECONDS:g} s")
        await asyncio.sleep(_POLL_SECONDS)
    if not child.is_running:
        raise StackError(await how_ended())


async def answers(http: aiohttp.ClientSession, url: str) -> bool:
    """Whether `url` answers that all is well."""
    try:
        async with http.get(url) as response:
            return response.status == 200
    except (OSError, aiohttp.ClientError, TimeoutError):
        return False
