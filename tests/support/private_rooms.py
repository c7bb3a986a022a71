"""People who use private rooms over HTTP, on a stack."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp

from tests.support.nats_server import connected
from tests.support.stacks import TestStack
from wire import streams


class Answer(NamedTuple):
    """What the HTTP API said."""

    status: int
    body: Any


class Person:
    """Somebody with a session, who asks at one of the gateways."""

    def __init__(self, url: str, session: dict[str, Any]) -> None:
        self.url = url
        self.token: str = session["access_token"]
        self.id: str = session["user"]["id"]
        self.name: str = session["user"]["display_name"]

    async def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """As the bearer of a token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            aiohttp.ClientSession(self.url, headers=headers) as http,
            http.request(method, path, json=body) as response,
        ):
            text = await response.read()
            return Answer(response.status, await response.json(content_type=None) if text else None)

    async def group(self, *others: "Person", name: str | None = None) -> str:
        """The id of a new group."""
        answer = await self.ask("POST", "/api/rooms", {"members": [each.id for each in others], "name": name})
        assert answer.status == 201, answer
        room: str = answer.body["room"]
        return room


async def people(stack: TestStack, *names: str) -> list[Person]:
    """Guests of these names, at one gateway after the other."""
    urls = [stack.gateway_urls[number % 2] for number in range(len(names))]

    async def guest(url: str, name: str) -> Person:
        async with (
            aiohttp.ClientSession(url) as http,
            http.post("/api/guest", json={"display_name": name}) as response,
        ):
            return Person(url, await response.json())

    return await asyncio.gather(*map(guest, urls, names))


@asynccontextmanager
async def with_control_stream(stack: TestStack) -> AsyncIterator[None]:
    """Until the stack makes it by itself."""
    async with connected(stack.nats_url) as bus:
        await bus.jetstream.add_stream(streams.control(replicas=1))
        yield
