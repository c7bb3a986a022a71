"""Every route refused in every way that does not depend on what it does."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import aiohttp

from tests.support.described.http import Answer, DescribedHttp, Json
from tests.support.waiting import until

_FILLED: Final = {"room": "lobby", "user": "u-nobody", "path": "nothing.js"}
_BODY_MOST: Final = 64 * 1024
POST_PACKETS: Final = "POST /socket.io/"


def path_of(operation: str) -> str:
    """A path that leads to `operation`."""
    path = re.sub(r"{(\w+)}", lambda each: _FILLED[each[1]], operation.partition(" ")[2])
    return f"{path}?EIO=4&transport=polling" if path == "/socket.io/" else path


def bears(operation: Json, tokens: dict[str, str]) -> dict[str, str]:
    """The header with one of `tokens`, by who bears them, that opens `operation`."""
    borne = [tokens[next(iter(each))] for each in operation.get("security", [])]
    return {"Authorization": f"Bearer {borne[0]}"} if borne else {}


async def malformed(http: DescribedHttp, url: str) -> None:
    """400 of each route, and 401 of those that want a token."""
    for name, operation in _public(http):
        path = path_of(name)
        assert (await http.ask(name, f"{url}{path}{'&' if '?' in path else '?'}token=x")).status == 400
        if "security" in operation:
            assert (await http.ask(name, url + path)).status == 401


async def too_large(http: DescribedHttp, url: str, tokens: dict[str, str]) -> None:
    """413 of each route that takes a body."""
    for name, operation in _with_body(http):
        headers = bears(operation, tokens)
        answer = await http.ask(name, url + path_of(name), data=b"x" * (_BODY_MOST + 1), headers=headers)
        assert answer.status == 413, name


async def halves(http: DescribedHttp, url: str, tokens: dict[str, str], packets: str) -> None:
    """408 of each route that takes a body, all at the same time; `packets` are those of a client that polls."""
    urls = {name: url + path_of(name) for name, _ in _with_body(http)} | {POST_PACKETS: packets}
    asked = (half(http, name, each, headers=bears(http.operations[name], tokens)) for name, each in urls.items())
    answered = {name: each.status for name, each in zip(urls, await asyncio.gather(*asked), strict=True)}
    assert answered == dict.fromkeys(urls, 408)


async def half(http: DescribedHttp, operation: str, url: str, *, headers: dict[str, str], **more: Any) -> Answer:
    """The answer to a request whose body does not come to an end."""
    for_ever = asyncio.Event()

    async def begun() -> AsyncIterator[bytes]:
        yield b"{"
        await for_ever.wait()

    return await http.ask(operation, url, data=begun(), headers={**headers, "Content-Length": "20"}, **more)


async def crowded(http: DescribedHttp, url: str) -> None:
    """429 and 503 of each route, at a gateway that takes two requests of an address at once, and three in all."""

    async def says(status: int) -> None:
        # Now and then one of those that hold the places is answered, and another takes its place.
        for name, _ in _public(http):
            await until(lambda name=name: _answers(http, name, url, status), f"{status} of {name}")  # type: ignore[misc]

    async with _held(http, url, "127.0.0.1"), _held(http, url, "127.0.0.1"):
        await says(429)
        async with _held(http, url, "127.0.0.2"):
            await says(503)


async def _answers(http: DescribedHttp, name: str, url: str, status: int) -> bool:
    try:
        return (await http.ask(name, url + path_of(name))).status == status
    except aiohttp.ServerDisconnectedError:
        return False  # the connection was one that a gateway keeps for no longer


@asynccontextmanager
async def _held(http: DescribedHttp, url: str, address: str) -> AsyncIterator[None]:
    async def hold() -> None:
        while True:  # it may come while the request that looks whether it is there takes its place
            await half(http, "POST /api/guest", f"{url}/api/guest", headers={}, address=address)

    task = asyncio.create_task(hold())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, aiohttp.ClientError):
            await task


def _public(http: DescribedHttp) -> Iterable[tuple[str, Json]]:
    return [(name, each) for name, each in http.operations.items() if each["tags"] != ["Admin port"]]


def _with_body(http: DescribedHttp) -> Iterable[tuple[str, Json]]:
    return [each for each in _public(http) if "requestBody" in each[1] and each[0] != POST_PACKETS]
