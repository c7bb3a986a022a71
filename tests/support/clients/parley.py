"""What the official clients have in common, whatever their language."""

from abc import ABC, abstractmethod
from typing import Any


class Client(ABC):
    """A connection that keeps every event, in order."""

    @abstractmethod
    def of(self, name: str) -> list[Any]:
        """The payloads of event `name` so far."""

    @abstractmethod
    async def call(self, event: str, payload: Any) -> Any:
        """Send an event and return its acknowledgement."""

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
