"""A member's connection: what it tells, and what it can be asked. It reconnects by itself, as its library does."""

from typing import Any, Protocol


class LostError(Exception):
    """The connection went away before the answer came: nobody knows what became of the question."""


class Listener(Protocol):
    """Whoever a connection tells what happens, in order. None of it waits."""

    def connected(self, *, recovered: bool) -> None:
        """It is there (again); `recovered`: with its session and rooms."""

    def disconnected(self) -> None:
        """It is gone."""

    def heard(self, event: str, payload: Any) -> None:
        """An event came."""


class Line(Protocol):
    """A connection."""

    async def start(self) -> None:
        """Begin to connect."""

    async def stop(self) -> None:
        """Hang up, and free everything."""

    async def ask(self, event: str, payload: dict[str, Any], /, *, seconds: float) -> dict[str, Any]:
        """Send an event; its acknowledgement. Raises `LostError`, and `TimeoutError` after `seconds`."""
