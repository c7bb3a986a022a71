"""Locust users beside a test: a process of their own, on a real stack, and what they have handed over."""

import asyncio
import json
import secrets
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from checker.account import Account, Place
from deploy.local.stack import ROOT
from loadtests.facts import Facts

_LINE_MOST = 1024 * 1024
_END_SECONDS = 90.0
_PAGE = 200


class Playing:
    """Users that play. `seen` is their newest report: `connected`, `counts`, `succeeded` and `failures` by kind."""

    def __init__(self, process: asyncio.subprocess.Process, path: Path) -> None:
        self._process = process
        self._path = path
        self.seen: dict[str, Any] = {}

    async def until(self, condition: Callable[[dict[str, Any]], bool], what: str, *, seconds: float = 60.0) -> None:
        """Read reports until one is as wanted; fails the test with `what` when none is within `seconds`."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                while not self.seen or not condition(self.seen):
                    line = await self._process.stdout.readline()
                    assert line, f"the users ended: {what}; last seen: {self.seen}"
                    self.seen = json.loads(line)
        except TimeoutError:
            raise AssertionError(f"not within {seconds:g} s: {what}; last seen: {self.seen}") from None

    async def say(self, command: str) -> None:
        """See `locust_users`."""
        assert self._process.stdin is not None
        self._process.stdin.write(command.encode() + b"\n")
        await self._process.stdin.drain()

    async def finish(self) -> Facts:
        """Let nothing new be sent, and all arrive; their facts."""
        await self.say("finish")
        async with asyncio.timeout(_END_SECONDS):
            _, errors = await asyncio.gather(self._drained(), self._process.wait())
        assert self._process.returncode == 0, errors
        return Facts.read(self._path)

    async def _drained(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.seen = json.loads(line)


@asynccontextmanager
async def playing(
    urls: Sequence[str],
    tokens: Sequence[str],
    folder: Path,
    users: dict[str, int],
    *,
    rooms: int = 2,
    think: float = 0.4,
    **more: Any,
) -> AsyncIterator[Playing]:
    """So many users of each kind, while the block runs."""
    path = folder / f"{secrets.token_hex(4)}.msgpack"
    settings = {
        "urls": list(urls),
        "tokens": list(tokens),
        "rooms": rooms,
        "run": secrets.token_hex(4),
        "think": think,
        "users": users,
        "facts": str(path),
        **more,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.support.locust_users", json.dumps(settings)),
        cwd=ROOT,
        stdin=PIPE,
        stdout=PIPE,
        limit=_LINE_MOST,
    )
    try:
        yield Playing(process, path)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def read_histories(account: Account, url: str, token: str) -> None:
    """Read every room of the account that was written to from its beginning, into it."""
    rooms = {each.room for each in account.acknowledged}
    async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {token}"}) as http:
        for room in sorted(rooms):
            account.history[room] = await _history(http, room)


async def _history(http: aiohttp.ClientSession, room: str) -> list[Place]:
    places: list[Place] = []
    while True:
        after = places[-1].seq if places else 0
        async with http.get(f"/api/rooms/{room}/messages", params={"after": after, "limit": _PAGE}) as response:
            page = await response.json()
            assert response.status == 200, page
        places += [Place(each["seq"], each["prev"], each["id"]) for each in page["messages"]]
        if not page["more"]:
            return places
