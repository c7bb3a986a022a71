"""What can be measured: a server, what it needs beside it, and how a client gets in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

from deploy.local.ports import HOST


class TargetError(Exception):
    """A target cannot be set up; the message says why."""


@dataclass(frozen=True)
class Traits:
    """What the table says of a target, beside its figures."""

    name: str
    does: str
    """What a delivered message has gone through."""
    does_not: str
    """What Parley does and this does not."""
    fan_out_only: bool = False


class Target(Protocol):
    """A context manager: set up inside, nothing left after it. `renew` before anything is measured."""

    traits: Traits

    async def __aenter__(self) -> Self:
        """Raises `TargetError`, with nothing left running."""

    async def __aexit__(self, *_: object) -> None:
        """End every process."""

    async def renew(self) -> None:
        """A server process without a past, on a core of its own; what it needs beside it goes on."""

    def server(self) -> int:
        """The process that is measured."""

    def beside(self) -> Sequence[int]:
        """The processes that it cannot do without: broker, authentication, storage."""

    def elsewhere(self) -> Sequence[int]:
        """Those of `beside` that no message waits for between its sender and its receivers."""

    def port(self, gateway: int) -> int:
        """Where gateway 1, which is measured, or gateway 2 listens."""

    def request(self, room: str) -> bytes:
        """The HTTP request that opens a WebSocket; `room` matters where a URL is a room."""

    def greeting(self, user: int) -> bytes | None:
        """The Socket.IO CONNECT packet of user 0, 1, ...; None for a server that only speaks WebSocket."""

    def complaints(self) -> list[str]:
        """The last lines of what its processes printed."""


def upgrade(path: str) -> bytes:
    """An HTTP request for a WebSocket, without extensions: no compression anywhere."""
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {HOST}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


SOCKET_IO: Final = upgrade("/socket.io/?EIO=4&transport=websocket")
