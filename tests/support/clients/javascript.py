"""The official JavaScript client, current and oldest: each connection in a Node.js process of its own."""

import asyncio
import base64
import itertools
import json
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.clients.official import RECONNECTION_SECONDS, NotConnectedError, OfficialClient
from web import npm

_HERE: Final = Path(__file__).resolve().parent


class JavaScriptClient(OfficialClient):
    """In a Node.js process of its own."""

    package = "socket.io-client"
    keeps_questions = True
    """Whether what is asked without a connection is sent on the next, as the library does; else it is lost."""

    async def start(self) -> None:
        """See `OfficialClient`."""
        node = shutil.which("node")
        try:
            await asyncio.to_thread(npm.install, _HERE)
        except npm.NoNpmError:
            node = None
        if node is None:
            pytest.skip("no node or npm: the official JavaScript clients are NOT tested")
        delay, longest = (round(seconds * 1000) for seconds in RECONNECTION_SECONDS)
        options = {"reconnectionDelay": delay, "reconnectionDelayMax": longest, **self.options}
        self._numbers = itertools.count()
        self._acks: dict[int, asyncio.Future[list[Any]]] = {}
        self._process: Process = await asyncio.create_subprocess_exec(
            node, "driver.mjs", self.package, cwd=_HERE, stdin=PIPE, stdout=PIPE, limit=1 << 24
        )
        self._reader = asyncio.create_task(self._read())
        for namespace in self.namespaces:
            await self._do({"do": "open", "url": self.url, "namespace": namespace, "options": options})

    async def stop(self) -> None:
        """See `OfficialClient`."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reader

    async def ask(self, name: str, *args: Any, namespace: str = "/", seconds: float = 15) -> list[Any]:
        """See `OfficialClient`."""
        return (await self.ask_all(name, [args], namespace=namespace, seconds=seconds))[0]

    async def ask_all(
        self, name: str, calls: Iterable[Sequence[Any]], *, namespace: str = "/", seconds: float = 15
    ) -> list[list[Any]]:
        """Send an event with each of `calls` as its arguments, all in one turn; their acknowledgements."""
        commands: list[dict[str, Any]] = []
        acks: list[asyncio.Future[list[Any]]] = []
        for args in calls:
            number = next(self._numbers)
            ack = self._acks[number] = asyncio.get_running_loop().create_future()
            acks.append(ack)
            packed_args = [packed(each) for each in args]
            commands.append(
                {
                    "do": "call",
                    "number": number,
                    "namespace": namespace,
                    "name": name,
                    "args": packed_args,
                    "keep": self.keeps_questions,
                }
            )
        await self._do(*commands)
        async with asyncio.timeout(seconds):
            return [await ack for ack in acks]

    async def close(self) -> None:
        """See `OfficialClient`."""
        await self._do({"do": "close", "namespace": "/"})

    async def close_transport(self) -> None:
        """Let the library end its transport, as it does itself when a request fails: it says so, and comes back."""
        await self._do({"do": "closeTransport"})

    async def reopen(self) -> None:
        """Connect again, as an application does after a refusal; what was open is closed first."""
        await self._do({"do": "reopen", "namespace": "/"})

    @property
    def transport(self) -> str:
        """See `OfficialClient`."""
        return str([each for each in self.told if each["is"] in {"opened", "upgraded"}][-1]["transport"])

    async def _do(self, *commands: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(commands).encode() + b"\n")
        await self._process.stdin.drain()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = unpacked(json.loads(line))
            self.hear(told)
            if told["is"] in {"ack", "lost"} and not (ack := self._acks.pop(told["number"])).done():
                if told["is"] == "ack":
                    ack.set_result(told["ack"])
                else:
                    ack.set_exception(NotConnectedError())


class OldestJavaScriptClient(JavaScriptClient):
    """Of version 4.0.0."""

    package = "socket.io-client-oldest"


def packed(value: Any) -> Any:
    """`value` as JSON for the driver."""
    if isinstance(value, bytes):
        return {"$": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [packed(each) for each in value]
    return {key: packed(each) for key, each in value.items()} if isinstance(value, dict) else value


def unpacked(value: Any) -> Any:
    """The reverse of `packed`."""
    if isinstance(value, list):
        return [unpacked(each) for each in value]
    if isinstance(value, dict):
        return base64.b64decode(value["$"]) if "$" in value else {key: unpacked(each) for key, each in value.items()}
    return value
