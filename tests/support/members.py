"""Two people in a room, each on a gateway of their own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack


@asynccontextmanager
async def two_members(
    stack: TestStack, room: str, tokens: Sequence[str] = ()
) -> AsyncIterator[tuple[PythonClient, PythonClient]]:
    """The one on gateway 1 and the one on gateway 2, both in `room`, over WebSocket; new users without `tokens`."""
    first, second = stack.gateway_urls
    mine, other = tokens or (await stack.token(), await stack.token())
    async with (
        PythonClient(first, mine, transports=["websocket"]) as one,
        PythonClient(second, other, transports=["websocket"]) as two,
    ):
        await one.join(room)
        await two.join(room)
        yield one, two
