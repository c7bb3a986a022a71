"""The official JavaScript client, in a node process of its own."""

import asyncio
import itertools
import json
import shutil
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, Self

import pytest

from tests.support.client import Client
from tests.support.waiting import until

_DRIVER = Path(__file__).with_name("js_client.mjs")


class JsClient(Client):
    """A connection of the official JavaScript client."""

    def __init__(self, url: str, token: str, **options: Any) -> None:
        self.url = url
        self.token = token
        self.options = options
        self.told: list[dict[str, Any]] = []
        self._numbers = itertools.count()
        self._acks: dict[int, asyncio.Future[Any]] = {}
        self._process: Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Connect, and wait for the session event."""
        await self.start()
        await until(lambda: bool(self.of("session")), "the session event")
        return self

    async def start(self) -> None:
        """Begin to connect."""
        node = shutil.which("node")
        if node is None:
            pytest.skip("no node: the official JavaScript client is NOT tested")
        self._process = await asyncio.create_subprocess_exec(node, str(_DRIVER), stdin=PIPE, stdout=PIPE)
        self._reader = asyncio.create_task(self._read())
        await self._do({"do": "connect", "url": self.url, "token": self.token, "options": self.options})

    async def __aexit__(self, *_: object) -> None:
        """Disconnect, and end the process."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._reader is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reader

    def of(self, name: str) -> list[Any]:
        """The payloads of event `name` so far."""
        return [each["payload"] for each in self.told if each["is"] == "event" and each["name"] == name]

    def happened(self, what: str) -> list[dict[str, Any]]:
        """All of `connected`, `upgraded`, `refused` or `disconnected` so far."""
        return [each for each in self.told if each["is"] == what]

    async def call(self, event: str, payload: Any) -> Any:
        """Send an event and return its acknowledgement."""
        return await self._ask({"do": "call", "event": event, "payload": payload})

    async def burst(self, event: str, payloads: list[Any]) -> Any:
        """Send all of them at once, and return their acknowledgements."""
        return await self._ask({"do": "burst", "event": event, "payloads": payloads})

    async def _ask(self, command: dict[str, Any]) -> Any:
        number = next(self._numbers)
        self._acks[number] = asyncio.get_running_loop().create_future()
        await self._do({**command, "number": number})
        return await self._acks[number]

    async def _do(self, command: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            self.told.append(told)
            if told["is"] == "ack":
                self._acks[told["number"]].set_result(told.get("ack", told.get("failed")))
