"""The official Python client, recording what it is told."""

from typing import Any, Self

import socketio

from tests.support.client import Client
from tests.support.waiting import until

EVENTS = ("session", "message", "typing", "event", "removed", "expiring", "draining")


class PythonClient(Client):
    """A connection of the official Python client."""

    def __init__(self, url: str, token: str, **options: Any) -> None:
        self.url = url
        self.token = token
        self.options = options
        self.received: list[tuple[str, Any]] = []
        self.refusals: list[Any] = []
        self.socket = socketio.AsyncClient(reconnection_delay=0.2, reconnection_delay_max=1)
        for name in EVENTS:
            self.socket.on(name, self._recorder(name))
        self.socket.on("connect_error", self.refusals.append)

    def _recorder(self, name: str) -> Any:
        def record(payload: Any) -> None:
            self.received.append((name, payload))

        return record

    async def __aenter__(self) -> Self:
        """Connect, and wait for the session event."""
        await self.socket.connect(self.url, auth={"token": self.token}, **self.options)
        await until(lambda: bool(self.of("session")), "the session event")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self.socket.disconnect()

    def of(self, name: str) -> list[Any]:
        """The payloads of event `name` so far."""
        return [payload for each, payload in self.received if each == name]

    async def call(self, event: str, payload: Any, *, seconds: float = 15) -> Any:
        """Send an event and return its acknowledgement."""
        return await self.socket.call(event, payload, timeout=seconds)
