"""What the official clients have in common, whatever their language."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, Self

from tests.support.waiting import until

RECONNECTION_SECONDS: Final = (0.05, 0.2)
"""The first and the longest pause before a client connects again."""

Told = dict[str, Any]


class NotConnectedError(Exception):
    """The client was asked to send something while it had no connection: it was not sent, and will not be."""


class OfficialClient(ABC):
    """A client at `url`, of the default namespace and `others`; `options` are its own.

    Keeps what it is told, in order, and answers an event that wants it with its arguments.
    """

    def __init__(self, url: str, *, others: Sequence[str] = (), **options: Any) -> None:
        self.url = url
        self.namespaces = ["/", *others]
        self.options = options
        self.told: list[Told] = []

    async def __aenter__(self) -> Self:
        """Begin to connect to the default namespace."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect, and free everything."""
        await self.stop()

    def hear(self, told: Told) -> None:
        """Something happened. Called once for each, in order."""
        self.told.append(told)

    @abstractmethod
    async def start(self) -> None:
        """See `__aenter__`."""

    @abstractmethod
    async def stop(self) -> None:
        """See `__aexit__`."""

    @abstractmethod
    async def ask(self, name: str, *args: Any, namespace: str = "/", seconds: float = 15) -> list[Any]:
        """Send an event; the arguments of its acknowledgement. Raises an error if it is not there in time."""

    @abstractmethod
    async def close(self) -> None:
        """Leave the default namespace by the client's own will."""

    @property
    @abstractmethod
    def transport(self) -> str:
        """What it is on now."""

    def happened(self, what: str, namespace: str = "/") -> list[Told]:
        """All of `connect`, `connect_error` or `disconnect` so far; of JavaScript's also `opened` and `upgraded`."""
        return [each for each in self.told if each["is"] == what and each["namespace"] == namespace]

    def heard(self, name: str, namespace: str = "/") -> list[list[Any]]:
        """The arguments of all events `name` so far."""
        return [each["args"] for each in self.happened("event", namespace) if each["name"] == name]

    async def is_connected(self, namespace: str = "/", *, times: int = 1) -> None:
        """Wait for that."""
        await until(lambda: len(self.happened("connect", namespace)) == times, f"connected {times} times")
