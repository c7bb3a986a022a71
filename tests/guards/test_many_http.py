"""HTTP connections are bounded in number, whatever they carry; and those that carry something come first."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import aiohttp
import msgspec

from services.gateway.edge.metrics import limited
from tests.guards.peers import Raw, polling
from tests.guards.target import LIMITS, Edge, serving
from tests.support.waiting import until

MOST: Final = 10
PATIENT: Final = msgspec.structs.replace(
    LIMITS,
    http_connections_most=MOST,
    first_request_timeout=600.0,
    answer_timeout=600.0,
    keep_alive_timeout=600.0,
    connect_timeout=600.0,
)
"""Nothing is closed for the time that it takes."""


async def test_above_the_limit_idle_connections_go_and_requests_do_not() -> None:
    """Those that were idle for longest first: who comes with a request is served, however many say nothing."""
    limits = msgspec.structs.replace(PATIENT, first_request_timeout=10.0)  # swept each second
    before = limited.labels(limit="http")._value.get()
    with serving(Edge(limits)) as target:
        async with polling(target) as session, AsyncExitStack() as stack:
            poll = asyncio.ensure_future(session.poll())
            oldest = [await stack.enter_async_context(Raw(target)) for _ in range(MOST)]
            await until(lambda: target.connections() <= MOST, "room")
            for each in [await stack.enter_async_context(Raw(target)) for _ in range(MOST * 2)]:
                each.send("GET / HTTP/1.1\r\n")  # and no more of it
            async with aiohttp.ClientSession() as http, http.get(f"{target.url}polling") as response:
                assert response.status == 200
            await until(lambda: target.connections() <= MOST, "room")
            assert all(await asyncio.gather(*(each.ends() for each in oldest)))
            assert not poll.done()
            await session.post('420["echo","x"]')
            assert (await poll)[0] == 200
    assert limited.labels(limit="http")._value.get() >= before + MOST * 2


async def test_above_the_limit_no_other_request_is_taken() -> None:
    """503 and Retry-After, until one of those that wait has its answer."""
    with serving(Edge(PATIENT)) as target:
        async with AsyncExitStack() as stack:
            sessions = [await stack.enter_async_context(polling(target)) for _ in range(MOST)]
            requests = len(target.requests)
            polls = [asyncio.ensure_future(each.poll()) for each in sessions]
            await until(lambda: len(target.requests) == requests + MOST, "the polls to begin")
            async with aiohttp.ClientSession() as http:
                async with http.get(f"{target.url}polling") as response:
                    assert response.status == 503
                    assert response.headers["Retry-After"] == "1"
                for each in polls:
                    each.cancel()
                await asyncio.gather(*polls, return_exceptions=True)

                async def is_taken() -> bool:
                    async with http.get(f"{target.url}polling") as response:
                        return response.status == 200

                await until(is_taken, "room")
