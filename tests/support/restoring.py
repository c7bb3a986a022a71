"""Stacks that are backed up, and come back from it, by the commands that operators run."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support import first_start, stream_copies
from tests.support.clients.parley import PythonClient
from tests.support.setting_up import Ended, set_up
from tests.support.stacks import TestStack
from tests.support.stream_copies import Copy
from tests.support.waiting import until


@asynccontextmanager
async def killed(stack: TestStack) -> AsyncIterator[TestStack]:
    """`stack` while the block runs, and then killed at once."""
    async with stack:
        try:
            yield stack
        finally:
            await stack.kill()


async def history(stack: TestStack, *arguments: str) -> Ended:
    """A command of `python -m services.history`, which has to work."""
    ended = await set_up(stack.environment("setup"), *arguments)
    assert ended.code == 0, ended
    return ended


async def save(stack: TestStack, folder: Path) -> None:
    """The databases, by `python -m deploy.backup`, once MongoDB has all that is acknowledged by now."""
    await history(stack, "persisted")
    await _backup(stack, "save", folder)


async def load(stack: TestStack, folder: Path) -> None:
    """Into the empty databases of `stack`."""
    await _backup(stack, "load", folder)


def lose(stack: TestStack, *servers: str) -> None:
    """Remove what these servers (nats, mongo) had; they do not run."""
    for name in servers:
        shutil.rmtree(stack.data / name)
    if "mongo" in servers:
        first_start.copy_to(stack.data)  # an empty database that knows its users


async def pages(client: PythonClient, room: str) -> list[dict[str, Any]]:
    """All of the room, page by page, oldest first. A page that is unavailable is asked for again."""
    found: list[dict[str, Any]] = []
    after = 0
    while True:
        answers: list[dict[str, Any]] = []

        async def answered(after: int = after, answers: list[dict[str, Any]] = answers) -> bool:
            answers.append(await client.call("history", {"room": room, "after": after, "limit": 50}))
            return bool(answers[-1]["ok"]) or answers[-1]["error"]["code"] != "unavailable"

        await until(answered, "a page", seconds=40)
        page = answers[-1]
        assert page["ok"], page
        found += page["messages"]
        if not page["more"]:
            return found
        after = found[-1]["seq"]


class RestoredStack(TestStack):
    """Starts with the databases in `backup`, and with the stream in `copy` if there is one.

    As docs/OPERATIONS.md has it: what a restored stream holds is persisted, then it makes way for one that begins
    above everything, and only then gateways start.
    """

    def __init__(self, data: Path, *, backup: Path, copy: Copy | None = None, **more: Any) -> None:
        super().__init__(data, **more)
        self._backup_folder = backup
        self._copy = copy

    async def _start(self) -> None:
        await self._make_secrets()
        servers, services, gateways = self._tiers()
        await self._start_tier(servers)
        await load(self, self._backup_folder)
        if self._copy is not None:
            async with self.nats() as client:
                await stream_copies.restore(client, self._copy)
        await self.setup()
        await self._start_tier(services)
        if self._copy is not None:
            await history(self, "persisted")
            async with self.nats() as client:
                await client.jetstream().delete_stream("MESSAGES")
            await self.setup()
        await self._start_tier(gateways)


async def _backup(stack: TestStack, command: str, folder: Path) -> None:
    environ = {**stack.environment("setup"), "MONGO_URL": stack.mongo_url_of("root"), "MONGO_PASSWORD_FILE": ""}
    await stack._run("backup", "deploy.backup", command, str(folder), environ=environ)
