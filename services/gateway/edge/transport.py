"""What a session asks of its transport: `websocket.WebSocket` or `polling.Polling`."""

from typing import Protocol


class Transport(Protocol):
    """What carries a session's packets."""

    @property
    def name(self) -> str:
        """`polling` or `websocket`."""

    @property
    def unsent(self) -> int:
        """Bytes that were written and wait to be sent."""

    def write(self, frames: bytes, /) -> None:
        """Send; nothing that was written before may come later. A closed transport drops it."""

    def close(self, last: bytes, code: int) -> None:
        """Send what was written, then `last`, then end; `code` is a WebSocket's close code."""

    def abort(self) -> None:
        """End at once; what was not sent is dropped."""

    def pause_reading(self) -> None:
        """Take no more packets from the client, for a while."""

    def resume_reading(self) -> None:
        """Take packets again."""
