"""The four official clients that we know of, behind one face: two of JavaScript's, and Python's two."""

import asyncio
import base64
import itertools
import json
import shutil
from abc import ABC, abstractmethod
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import pytest
import socketio

from tests.support.waiting import until

JS: Final = Path(__file__).with_name("js")
KINDS: Final = ("js", "js-oldest", "python", "python-sync")
OTHER: Final = "/custom"

Told = dict[str, Any]


class Client(ABC):
    """A client at `url`; keeps what it is told, in order. It answers an event that wants it with its arguments."""

    def __init__(self, url: str, **options: Any) -> None:
        self.url = url
        self.options = options
        self.told: list[Told] = []

    async def __aenter__(self) -> Self:
        """Begin to connect to the default namespace."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect, and free everything."""
        await self.stop()

    @abstractmethod
    async def start(self) -> None:
        """See `__aenter__`."""

    @abstractmethod
    async def stop(self) -> None:
        """See `__aexit__`."""

    @abstractmethod
    async def call(self, name: str, *args: Any, namespace: str = "/") -> list[Any]:
        """Send an event; the arguments of its acknowledgement."""

    @abstractmethod
    async def close(self) -> None:
        """Leave the default namespace by the client's own will."""

    @property
    @abstractmethod
    def transport(self) -> str:
        """What it is on now."""

    def happened(self, what: str, namespace: str = "/") -> list[Told]:
        """All of `connect`, `connect_error` or `disconnect` so far."""
        return [each for each in self.told if each["is"] == what and each["namespace"] == namespace]

    def heard(self, name: str, namespace: str = "/") -> list[list[Any]]:
        """The arguments of all events `name` so far."""
        return [each["args"] for each in self.happened("event", namespace) if each["name"] == name]

    async def is_connected(self, namespace: str = "/", *, times: int = 1) -> None:
        """Wait for that."""
        await until(lambda: len(self.happened("connect", namespace)) == times, f"connected {times} times")


class JsClient(Client):
    """In a Node.js process of its own."""

    package = "socket.io-client"

    async def start(self) -> None:
        """See `Client`."""
        node = shutil.which("node")
        if node is None or not await installed():
            pytest.skip("no node, npm or registry: the official JavaScript clients are NOT tested")
        self._numbers = itertools.count()
        self._acks: dict[int, asyncio.Future[list[Any]]] = {}
        self._process: Process = await asyncio.create_subprocess_exec(
            node, "driver.mjs", self.package, cwd=JS, stdin=PIPE, stdout=PIPE, limit=1 << 24
        )
        self._reader = asyncio.create_task(self._read())
        for namespace in ("/", *self.options.pop("others", ())):
            await self._do("open", url=self.url, namespace=namespace, options=self.options)

    async def stop(self) -> None:
        """See `Client`."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reader

    async def call(self, name: str, *args: Any, namespace: str = "/") -> list[Any]:
        """See `Client`."""
        number = next(self._numbers)
        self._acks[number] = asyncio.get_running_loop().create_future()
        await self._do("call", number=number, namespace=namespace, name=name, args=[packed(each) for each in args])
        async with asyncio.timeout(15):
            return await self._acks[number]

    async def close(self) -> None:
        """See `Client`."""
        await self._do("close", namespace="/")

    @property
    def transport(self) -> str:
        """See `Client`."""
        return str([each for each in self.told if each["is"] in {"opened", "upgraded"}][-1]["transport"])

    async def _do(self, what: str, **more: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
        await self._process.stdin.drain()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = unpacked(json.loads(line))
            self.told.append(told)
            if told["is"] == "ack":
                self._acks[told["number"]].set_result(told["ack"])


class OldestJsClient(JsClient):
    """Of version 4.0.0."""

    package = "socket.io-client-oldest"


class PythonClient(Client):
    """What both clients of python-socketio have in common."""

    make: ClassVar[type[Any]]

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self.socket = self.make(reconnection_delay=0.05, reconnection_delay_max=0.2, handle_sigint=False)
        self.namespaces = ["/", *self.options.pop("others", ())]
        for each in self.namespaces:
            self._listen(each)

    def _listen(self, namespace: str) -> None:
        def tell(what: str, **more: Any) -> None:
            self.told.append({"is": what, "namespace": namespace, **more})

        def event(name: str, *args: Any) -> tuple[Any, ...]:
            tell("event", name=name, args=list(args))
            return args

        self.socket.on("connect", lambda: tell("connect"), namespace=namespace)
        self.socket.on("connect_error", lambda data: tell("connect_error", data=data), namespace=namespace)
        self.socket.on("disconnect", lambda reason: tell("disconnect", reason=reason), namespace=namespace)
        self.socket.on("*", event, namespace=namespace)

    @property
    def transport(self) -> str:
        """See `Client`."""
        return str(self.socket.transport())


class AsyncPythonClient(PythonClient):
    """`socketio.AsyncClient`."""

    make = socketio.AsyncClient

    async def start(self) -> None:
        """See `Client`."""
        try:
            await self.socket.connect(self.url, namespaces=self.namespaces, wait=True, **self.options)
        except socketio.exceptions.ConnectionError:
            self.told.append({"is": "failed", "namespace": "/"})

    async def stop(self) -> None:
        """See `Client`."""
        await self.socket.shutdown()

    async def call(self, name: str, *args: Any, namespace: str = "/") -> list[Any]:
        """See `Client`."""
        return arguments(await self.socket.call(name, args, namespace=namespace, timeout=15))

    async def close(self) -> None:
        """See `Client`."""
        await self.socket.disconnect()


class SyncPythonClient(PythonClient):
    """`socketio.Client`, whose threads are its own."""

    make = socketio.Client

    async def start(self) -> None:
        """See `Client`."""

        def connect() -> None:
            try:
                self.socket.connect(self.url, namespaces=self.namespaces, wait=True, **self.options)
            except socketio.exceptions.ConnectionError:
                self.told.append({"is": "failed", "namespace": "/"})

        await asyncio.to_thread(connect)

    async def stop(self) -> None:
        """See `Client`."""
        await asyncio.to_thread(self.socket.shutdown)

    async def call(self, name: str, *args: Any, namespace: str = "/") -> list[Any]:
        """See `Client`."""
        return arguments(await asyncio.to_thread(self.socket.call, name, args, namespace, 15))

    async def close(self) -> None:
        """See `Client`."""
        await asyncio.to_thread(self.socket.disconnect)


_CLASSES: Final[dict[str, type[Client]]] = {
    "js": JsClient,
    "js-oldest": OldestJsClient,
    "python": AsyncPythonClient,
    "python-sync": SyncPythonClient,
}


def client(kind: str, url: str, **options: Any) -> Client:
    """One of `KINDS`; `others` are namespaces beside the default one."""
    return _CLASSES[kind](url, **options)


async def installed() -> bool:
    """Whether the JavaScript clients are there, as the lock file says; npm fetches them if need be."""
    lock, marker = JS / "package-lock.json", JS / "node_modules" / ".lock"
    npm = shutil.which("npm")
    if marker.is_file() and marker.read_text() == lock.read_text():
        return True
    if npm is None:
        return False
    process = await asyncio.create_subprocess_exec(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=JS)
    assert await process.wait() == 0, "npm could not install the official JavaScript clients"
    marker.write_text(lock.read_text())
    return True


def arguments(ack: Any) -> list[Any]:
    """What the Python clients make of an acknowledgement's arguments, undone."""
    return list(ack) if isinstance(ack, tuple) else [] if ack is None else [ack]


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
