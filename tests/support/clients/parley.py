"""Clients of the gateway: signed in, and speaking its events."""

from collections.abc import Sequence
from typing import Any, Self

from tests.support.clients.javascript import JavaScriptClient
from tests.support.clients.official import OfficialClient
from tests.support.clients.python import AsyncPythonClient
from tests.support.waiting import until


class ParleyClient(OfficialClient):
    """A connection with `token`, which keeps every event, in order."""

    def __init__(self, url: str, token: str, **options: Any) -> None:
        super().__init__(url, auth={"token": token}, **options)

    async def __aenter__(self) -> Self:
        """Connect, and wait for the session event."""
        await super().__aenter__()
        await until(lambda: bool(self.of("session")), "the session event")
        return self

    def of(self, name: str) -> list[Any]:
        """The payloads of event `name` so far."""
        return [payload for (payload,) in self.heard(name)]

    async def call(self, event: str, payload: Any, *, seconds: float = 15) -> Any:
        """Send an event and return its acknowledgement."""
        return (await self.ask(event, payload, seconds=seconds))[0]

    def messages(self, room: str) -> list[dict[str, Any]]:
        """The messages of `room` so far."""
        return [each for each in self.of("message") if each["room"] == room]

    async def join(self, room: str, **more: Any) -> dict[str, Any]:
        """Join `room`; fails unless it works."""
        ack: dict[str, Any] = await self.call("join", {"room": room, **more})
        assert ack["ok"], ack
        return ack

    async def say(self, room: str, id: str, body: str = "hello", **more: Any) -> Any:
        """Send a message and return its acknowledgement."""
        return await self.call("message", {"room": room, "id": id, "body": body, **more})


class PythonClient(ParleyClient, AsyncPythonClient):
    """With the official Python client."""


class JsClient(ParleyClient, JavaScriptClient):
    """With the official JavaScript client."""

    async def burst(self, event: str, payloads: Sequence[Any]) -> list[Any]:
        """Send all of them at once, and return their acknowledgements."""
        return [ack for (ack,) in await self.ask_all(event, [(payload,) for payload in payloads])]
