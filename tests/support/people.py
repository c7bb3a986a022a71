"""Guests, and what they ask over HTTP."""

from typing import Any, NamedTuple

import aiohttp
import msgspec

from tests.support.stacks import TestStack, unique


class Answer(NamedTuple):
    """What the HTTP API said: JSON, or None for nothing."""

    status: int
    body: Any


class Person(msgspec.Struct, frozen=True):
    """Somebody with a session."""

    stack: TestStack
    id: str
    name: str
    token: str

    async def ask(self, method: str, path: str, body: Any = None, *, gateway: int = 0) -> Answer:
        """As the bearer of the token."""
        url = self.stack.gateway_urls[gateway] + path
        headers = {"Authorization": f"Bearer {self.token}"}
        async with aiohttp.ClientSession() as http, http.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            return Answer(answer.status, msgspec.json.decode(text) if text else None)

    async def group(self, *others: "Person") -> str:
        """A new group of this person's and `others`."""
        status, made = await self.ask("POST", "/api/rooms", {"members": [each.id for each in others]})
        assert status == 201, made
        return str(made["room"])

    async def direct(self, other: "Person") -> str:
        """Their conversation."""
        status, made = await self.ask("POST", "/api/direct", {"user": other.id})
        assert status == 200, made
        return str(made["room"])

    async def remove(self, room: str, other: "Person") -> None:
        """Out of a group."""
        status, said = await self.ask("DELETE", f"/api/rooms/{room}/members/{other.id}")
        assert status == 204, said

    async def invite(self, room: str, other: "Person") -> None:
        """Into a group."""
        status, said = await self.ask("PUT", f"/api/rooms/{room}/members/{other.id}")
        assert status == 204, said


async def guest(stack: TestStack) -> Person:
    """Somebody new."""
    body = {"display_name": unique("guest")}
    async with aiohttp.ClientSession() as http, http.post(f"{stack.gateway_urls[0]}/api/guest", json=body) as answer:
        assert answer.status == 201, await answer.text()
        session = await answer.json()
    user = session["user"]
    return Person(stack, user["id"], user["display_name"], session["access_token"])
