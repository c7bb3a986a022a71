"""A stack whose first gateway is told to end, and raw sockets that see what it does then."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp

from tests.support.stacks import TestStack
from tests.support.waiting import until


@asynccontextmanager
async def drains(stack: TestStack, drain_seconds: str, **more: str) -> AsyncIterator[None]:
    """Gateway 1 of a stack that is well was started afresh, and takes so long to drain; it is killed at the end."""
    await stack.ready(*(each for each in stack.children if each != "gateway-1"))
    stack.output.clear()
    await stack.start_anew("gateway-1", DRAIN_SECONDS=drain_seconds, **more)
    try:
        yield
    finally:
        await stack.children["gateway-1"].kill()


async def _is_draining(stack: TestStack) -> bool:
    return await stack.metric("gateway-1", "parley_gateway_draining") == 1


async def told_to_end(stack: TestStack) -> None:
    """SIGTERM to gateway 1, which has begun to drain when this returns."""
    stack.children["gateway-1"].send_signal(signal.SIGTERM)
    await until(lambda: _is_draining(stack), "the drain to begin")


async def exit_code(stack: TestStack) -> str:
    """How gateway 1 ended, once it has."""
    async with asyncio.timeout(60):
        return await stack.children["gateway-1"].ended()


def said(stack: TestStack, event: str) -> list[dict[str, Any]]:
    """The lines of gateway 1's log that say `event`."""
    lines = [line.partition(" | ")[2] for line in stack.output if line.startswith("gateway-1 | {")]
    return [each for each in map(json.loads, lines) if each["event"] == event]


class RawSocket:
    """A WebSocket, and all that came on it, with the loop's time of its end."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse, token: str) -> None:
        self.websocket = websocket
        self._token = token
        self.packets: list[str] = []
        self.ended: float | None = None
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for each in self.websocket:
            self.packets.append(each.data)
        self.ended = asyncio.get_running_loop().time()

    async def connect(self) -> None:
        """Ask to be let in."""
        await self.websocket.send_str("40" + json.dumps({"token": self._token}))

    def heard(self, event: str) -> bool:
        """Whether `event` came."""
        return any(each.startswith(f'42["{event}"') for each in self.packets)


@asynccontextmanager
async def strangers(stack: TestStack, count: int) -> AsyncIterator[list[RawSocket]]:
    """Sockets of gateway 1 that nobody has been let in on yet; who does not ask to be within 5 s is closed."""
    tokens = [await stack.token() for _ in range(count)]
    async with aiohttp.ClientSession() as http, AsyncExitStack() as exits:
        yield [await _opened(stack, http, exits, token) for token in tokens]


@asynccontextmanager
async def members(stack: TestStack, count: int) -> AsyncIterator[list[RawSocket]]:
    """Sockets of gateway 1 whose users were let in."""
    tokens = [await stack.token() for _ in range(count)]
    async with aiohttp.ClientSession() as http, AsyncExitStack() as exits:
        sockets = []
        for token in tokens:
            sockets.append(await _opened(stack, http, exits, token))
            await sockets[-1].connect()
        await until(lambda: all(each.heard("session") for each in sockets), "all to be let in")
        yield sockets


async def _opened(stack: TestStack, http: aiohttp.ClientSession, exits: AsyncExitStack, token: str) -> RawSocket:
    url = f"{stack.gateway_urls[0]}/socket.io/?EIO=4&transport=websocket"
    return RawSocket(await exits.enter_async_context(http.ws_connect(url)), token)
