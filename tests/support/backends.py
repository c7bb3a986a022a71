"""Backends: whoever has a service token, and what they ask over HTTP."""

import asyncio
import sys
from typing import Any

import aiohttp
import msgspec

from deploy.local.stack import ROOT
from tests.support.people import Answer
from tests.support.stacks import TestStack, unique


async def token(stack: TestStack, *arguments: str, **more: str) -> tuple[int | None, str, str]:
    """Exit code, output and errors of `python -m services.auth token`, which gets to know the database alone.

    `more` overrides its settings.
    """
    environ = {name: value for name, value in stack.environment("auth").items() if name != "NATS_URL"}
    del environ["SIGNING_KEYS_DIR"]
    environ |= more
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.auth", "token", *arguments),
        cwd=ROOT,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def create(stack: TestStack, name: str, scopes: str) -> str:
    """A new token."""
    code, output, errors = await token(stack, "create", "--name", name, "--scopes", scopes)
    assert (code, errors) == (0, "")
    return output.removesuffix("\n")


class Backend(msgspec.Struct, frozen=True):
    """One of them."""

    stack: TestStack
    name: str
    token: str

    async def post(self, path: str, body: Any, *, gateway: int = 0) -> Answer:
        """What a POST is answered; `body` is JSON, unless it is bytes."""
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        url = self.stack.gateway_urls[gateway] + path
        headers = {"Authorization": f"Bearer {self.token}"}
        async with aiohttp.ClientSession() as http, http.post(url, data=data, headers=headers) as answer:
            text = await answer.text()
            return Answer(answer.status, msgspec.json.decode(text) if text else None)

    async def say(self, room: str, id: str, body: str = "hello", *, gateway: int = 0, **more: Any) -> Answer:
        """A message in a room."""
        return await self.post(f"/api/rooms/{room}/messages", {"id": id, "body": body, **more}, gateway=gateway)

    async def revoke(self) -> None:
        """Its token is good for nothing any more."""
        assert await token(self.stack, "revoke", "--name", self.name) == (0, f"revoked {self.name}\n", "")


async def backend(stack: TestStack, scopes: str) -> Backend:
    """A new one, whose token has `scopes`."""
    name = unique("backend")
    return Backend(stack, name, await create(stack, name, scopes))
