"""HTTP requests that come in half are answered or ended, in seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import ClientSession, ClientTimeout

from deploy.local.ports import HOST
from tests.support.stacks import TestStack


async def test_a_request_that_comes_in_half_is_answered(stack: TestStack) -> None:
    """A body that was announced and does not come in ten seconds: 408, as a problem."""
    timeout = ClientTimeout(total=40)

    async def half() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.get_running_loop().create_future()

    async with ClientSession(timeout=timeout) as http:
        url = f"{stack.gateway_urls[0]}/api/guest"
        async with http.post(url, data=half(), headers={"Content-Length": "20"}) as response:
            assert response.status == 408
            assert response.content_type == "application/problem+json"
            problem = await response.json()
            assert (problem["code"], problem["status"]) == ("invalid", 408)


async def test_a_connection_without_a_request_is_closed_and_counted(stack: TestStack) -> None:
    """It has ten seconds for its first one."""
    name = "parley_gateway_http_closed_total"
    before = await stack.metric("gateway-1", name, reason="no_request")
    reader, writer = await asyncio.open_connection(HOST, stack.ports.gateway_1)
    writer.write(b"GET /api/")
    async with asyncio.timeout(30):
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()
    assert await stack.metric("gateway-1", name, reason="no_request") == before + 1
