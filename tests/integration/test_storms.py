"""A storm of clients that connect at once: all get in, at the configured rate, and nobody inside is disturbed."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from tests.support.clients.parley import JsClient, ParleyClient, PythonClient
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until

RATE: Final = 4
BURST: Final = 3
PYTHON: Final = 12
ENVIRON: Final = {
    "HANDSHAKES_PER_SECOND": str(RATE),
    "HANDSHAKE_BURST": str(BURST),
    "VERIFICATIONS_AT_ONCE": "1",
    "ROOM_LINGER_SECONDS": "1",
}


async def test_official_clients_get_in_by_themselves() -> None:
    """At first, and again after their gateway was killed: each once, at a steady rate; a member elsewhere goes on."""
    room = unique("storm")
    async with fresh(environ=ENVIRON) as stack, AsyncExitStack() as exits:
        inside = await exits.enter_async_context(PythonClient(stack.gateway_urls[1], await stack.token()))
        await inside.join(room)
        clients = await _all_of_them(stack, exits)
        assert await _handshakes(stack) == len(clients)
        refused = await stack.metric("gateway-1", "parley_gateway_limited_total", limit="handshakes")
        assert refused >= len(clients) - BURST - RATE
        for each in clients:
            await each.join(room)
            assert (await each.say(room, unique("m")))["ok"]

        gateway = stack.children["gateway-1"]
        await gateway.kill()
        assert (await inside.say(room, "meanwhile"))["ok"]
        await gateway.start()
        await stack.ready("gateway-1")
        began = asyncio.get_running_loop().time()
        await until(lambda: all(len(each.of("session")) == 2 for each in clients), "all to be back", seconds=60)
        took = asyncio.get_running_loop().time() - began
        assert took >= (len(clients) - BURST) / RATE - 1.5, "they were let in at once"
        for each in clients:
            await each.join(room)
            assert (await each.say(room, unique("m")))["ok"]
            assert len(each.happened("connect")) == 2
        assert len(inside.happened("connect")) == 1
        assert not inside.happened("disconnect")
        await until(lambda: len(inside.messages(room)) == 2 * len(clients) + 1, "all that was said")


async def _all_of_them(stack: TestStack, exits: AsyncExitStack) -> list[ParleyClient]:
    url = stack.gateway_urls[0]
    clients: list[ParleyClient] = []
    for number in range(PYTHON):
        transports = ["websocket"] if number % 2 else ["polling", "websocket"]
        clients.append(PythonClient(url, await stack.token(), transports=transports, retry=True))
    clients += [JsClient(url, await stack.token(), transports=["websocket"]), JsClient(url, await stack.token())]
    async with asyncio.timeout(60):
        return list(await asyncio.gather(*(exits.enter_async_context(each) for each in clients)))


async def _handshakes(stack: TestStack) -> float:
    return await stack.metric("gateway-1", "parley_gateway_connects_total", result="ok")
