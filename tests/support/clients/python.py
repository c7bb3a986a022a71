"""The official Python clients: with asyncio, and with threads."""

import asyncio
from typing import Any, ClassVar, Final

import socketio

from tests.support.clients.official import RECONNECTION_SECONDS, OfficialClient

_CONNECT_SECONDS: Final = 30.0
"""The library's own patience is one second, which a busy machine outlasts; then it hangs up, and stays away."""


class _PythonClient(OfficialClient):
    """What both clients of python-socketio have in common."""

    make: ClassVar[type[Any]]

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        delay, longest = RECONNECTION_SECONDS
        self.socket = self.make(reconnection_delay=delay, reconnection_delay_max=longest, handle_sigint=False)
        for each in self.namespaces:
            self._listen(each)

    def _listen(self, namespace: str) -> None:
        def tell(what: str, **more: Any) -> None:
            self.hear({"is": what, "namespace": namespace, **more})

        def event(name: str, *args: Any) -> tuple[Any, ...]:
            tell("event", name=name, args=list(args))
            return args

        self.socket.on("connect", lambda: tell("connect"), namespace=namespace)
        self.socket.on("connect_error", lambda data: tell("connect_error", data=data), namespace=namespace)
        self.socket.on("disconnect", lambda reason: tell("disconnect", reason=reason), namespace=namespace)
        self.socket.on("*", event, namespace=namespace)

    @property
    def transport(self) -> str:
        """See `OfficialClient`."""
        return str(self.socket.transport())


class AsyncPythonClient(_PythonClient):
    """`socketio.AsyncClient`."""

    make = socketio.AsyncClient

    async def start(self) -> None:
        """See `OfficialClient`."""
        try:
            await self.socket.connect(
                self.url, namespaces=self.namespaces, wait=True, wait_timeout=_CONNECT_SECONDS, **self.options
            )
        except socketio.exceptions.ConnectionError:
            self.hear({"is": "failed", "namespace": "/"})

    async def stop(self) -> None:
        """See `OfficialClient`."""
        await self.socket.shutdown()

    async def ask(self, name: str, *args: Any, namespace: str = "/", seconds: float = 15) -> list[Any]:
        """See `OfficialClient`."""
        return arguments(await self.socket.call(name, args, namespace=namespace, timeout=seconds))

    async def close(self) -> None:
        """See `OfficialClient`."""
        await self.socket.disconnect()


class SyncPythonClient(_PythonClient):
    """`socketio.Client`, whose threads are its own."""

    make = socketio.Client

    async def start(self) -> None:
        """See `OfficialClient`."""

        def connect() -> None:
            try:
                self.socket.connect(
                    self.url, namespaces=self.namespaces, wait=True, wait_timeout=_CONNECT_SECONDS, **self.options
                )
            except socketio.exceptions.ConnectionError:
                self.hear({"is": "failed", "namespace": "/"})

        await asyncio.to_thread(connect)

    async def stop(self) -> None:
        """See `OfficialClient`."""
        await asyncio.to_thread(self.socket.shutdown)

    async def ask(self, name: str, *args: Any, namespace: str = "/", seconds: float = 15) -> list[Any]:
        """See `OfficialClient`."""
        return arguments(await asyncio.to_thread(self.socket.call, name, args, namespace, seconds))

    async def close(self) -> None:
        """See `OfficialClient`."""
        await asyncio.to_thread(self.socket.disconnect)


def arguments(ack: Any) -> list[Any]:
    """What the Python clients make of an acknowledgement's arguments, undone."""
    return list(ack) if isinstance(ack, tuple) else [] if ack is None else [ack]
