"""Two people in a room, each on a gateway of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack


@asynccontextmanager
async def two_members(stack: TestStack, room: str) -> AsyncIterator[tuple[PythonClient, PythonClient]]:
    """The one on gateway 1 and the one on gateway 2, both in `room`, over WebSocket."""
    first, second = stack.gateway_urls
    async with (
        PythonClient(first, await stack.token(), transports=["websocket"]) as one,
        PythonClient(second, await stack.token(), transports=["websocket"]) as two,
    ):
        await one.join(room)
        await two.join(room)
        yield one, two
