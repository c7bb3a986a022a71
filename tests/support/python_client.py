"""The official Python client, recording what it is told."""

from typing import Any, Self

import socketio

from tests.support.waiting import until

EVENTS = ("session", "message", "typing", "event", "removed", "expiring", "draining")


class PythonClient:
    """A connection that keeps every event, in order."""

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

    def messages(self, room: str) -> list[dict[str, Any]]:
        """The messages of `room` so far."""
        return [each for each in self.of("message") if each["room"] == room]

    async def call(self, event: str, payload: Any, *, seconds: float = 15) -> Any:
        """Send an event and return its acknowledgement."""
        return await self.socket.call(event, payload, timeout=seconds)

    async def join(self, room: str, **more: Any) -> dict[str, Any]:
        """Join `room`; fails unless it works."""
        ack: dict[str, Any] = await self.call("join", {"room": room, **more})
        assert ack["ok"], ack
        return ack

    async def say(self, room: str, id: str, body: str = "hello", **more: Any) -> Any:
        """Send a message and return its acknowledgement."""
        return await self.call("message", {"room": room, "id": id, "body": body, **more})
